using System.Diagnostics;
using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Support;

/// <summary>Proves that a step beyond guarded memory ends the process, in processes that take it on purpose.</summary>
public sealed class OverrunTests
{
    public static TheoryData<string> Blocks => [.. OverrunProgram.Blocks];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void OneBeyond_EndsTheProcess(string block)
    {
        foreach (Guard guard in Enum.GetValues<Guard>())
        {
            Run(block, guard, "write", 0).Should().Be((0, "ready done", ""));
            foreach (string access in GuardedBytes.IsSupported ? (string[])["read", "write"] : [])
            {
                (int code, string output, string error) = Run(block, guard, access, 1);
                code.Should().NotBe(0, "{0} guards {1}: {2}", guard, block, access);
                output.Should().Be("ready");
                error.Should().Contain(nameof(AccessViolationException));
            }
        }
    }

    private static (int Code, string Output, string Error) Run(string block, Guard guard, string access, int beyond)
    {
        // Where a system keeps a core of what crashed, it goes with the folder.
        using var folder = new TemporaryFolder();
        using Process process = Process.Start(new ProcessStartInfo(
            "dotnet", [typeof(OverrunProgram).Assembly.Location, block, guard.ToString(), access, $"{beyond}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
