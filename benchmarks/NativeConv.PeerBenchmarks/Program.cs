using System.CommandLine;
using NativeConv.PeerBenchmarks;
using NativeConv.PeerBenchmarks.Layers;
using NativeConv.PeerBenchmarks.Models;

var root = new RootCommand("Measures NativeConv against libtorch and ONNX Runtime: the same work on the same inputs, outputs compared before anything is timed.")
{
    LayersCommand.Build(), LayerMeasurement.Build(), StepsCommand.Build(), EpochsCommand.Build(), InferenceCommand.Build(), MemoryCommand.Build(), MemoryCommand.BuildOfOne(),
};
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine(error.Message);

    return 2;
}

try
{
    return parsed.Invoke(new() { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or PeerException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
