using System.CommandLine;
using MnistTrainer;
using NativeConv;

ParseResult parsed = CommandLine.Build().Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine(error.Message);

    Console.Error.WriteLine();
    parsed.RootCommand().Parse("--help").Invoke(new() { Output = Console.Error });
    return ExitCode.BadUsage;
}

try
{
    return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("Cancelled.");
    return ExitCode.Failure;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException or NonFiniteException or InvalidOperationException or HttpRequestException)
{
    Console.Error.WriteLine(e.Message.ReplaceLineEndings(" "));
    return ExitCode.Failure;
}
