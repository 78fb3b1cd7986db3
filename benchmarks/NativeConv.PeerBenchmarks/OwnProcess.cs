using System.Diagnostics;

namespace NativeConv.PeerBenchmarks;

/// <summary>This program, started once more.</summary>
internal static class OwnProcess
{
    public static Process Start(bool redirectsOutput, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = redirectsOutput };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(OwnProcess).Assembly.Location);

        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);

        return Process.Start(start)!;
    }
}
