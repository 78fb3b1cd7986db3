using System.Diagnostics;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer in a process of its own.</summary>
internal static class TrainerProcess
{
    /// <summary>Runs it to its end.</summary>
    public static Result Run(string folder, params string[] arguments)
    {
        using Process process = Start(folder, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.Result);
    }

    /// <summary>Runs it until it ends or the time is over, when it is killed at once.</summary>
    /// <returns>What it printed; null where it was killed.</returns>
    public static Result? RunOrKill(string folder, TimeSpan time, params string[] arguments)
    {
        using Process process = Start(folder, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        bool ended = process.WaitForExit(time);
        if (!ended)
            process.Kill();

        process.WaitForExit();
        return ended ? new(process.ExitCode, output.Result, error.Result) : null;
    }

    /// <summary>Runs it, on Linux, from a script of the shell, which finds the trainer's command in its arguments.</summary>
    public static Result RunInShell(string folder, string script, params string[] arguments)
    {
        using Process process = Start(folder, "bash", ["-c", script, "bash", "dotnet", Trainer, .. arguments]);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.Result);
    }

    private static string Trainer => Path.Combine(AppContext.BaseDirectory, "MnistTrainer.dll");

    private static Process Start(string folder, string[] arguments) => Start(folder, "dotnet", [Trainer, .. arguments]);

    private static Process Start(string folder, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment.Remove("NATIVECONV_DATA");
        return Process.Start(start)!;
    }

    internal sealed record Result(int Code, string Output, string Error);
}
