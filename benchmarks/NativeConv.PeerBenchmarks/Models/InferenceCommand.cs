using System.CommandLine;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>Measures predictions against ONNX Runtime.</summary>
internal static class InferenceCommand
{
    // So that running statistics are not those that they start with.
    private const int TrainedSteps = 3;

    public static Command Build()
    {
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        Option<string?> json = Commands.Json();
        var command = new Command("inference", "Measures predictions.") { threads, filter, json };
        command.SetAction(parsed => Run(parsed.GetValue(threads), parsed.GetValue(filter) ?? [], parsed.GetValue(json)));
        return command;
    }

    private static int Run(int threads, string[] filter, string? json)
    {
        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.LoadOnnxRuntime();
        PeerLibraries.Describe(threads);
        Console.WriteLine("Milliseconds a prediction; how many times longer ONNX Runtime takes. Its images are normalized beforehand, NativeConv's by the model.");
        Console.WriteLine();
        Console.WriteLine($"{"network",-18} {"batch",-9} threads       ours   onnxrt.  ratio  target");
        var rows = new List<Row>();
        var small = new List<double>();
        foreach (BenchmarkedModel network in BenchmarkedModel.All)
        {
            // An image of a small network runs on one thread; one of a large network on all.
            (int Batch, int Threads)[] cases = [.. network.Batches.Select(batch => (batch, threads)), (1, network.IsSmall ? 1 : threads)];
            foreach ((int batch, int count) in cases.Where(entry => Commands.Holds(BenchmarkedModel.Label(network.Name, entry.Batch), filter)))
            {
                rows.Add(Measure(network, batch, count));
                if (batch == 1 && network.IsSmall)
                    small.Add(rows[^1].Ratio);
            }
        }

        if (small.Count > 0)
        {
            double mean = Math.Exp(small.Average(Math.Log));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"geometric mean of the {small.Count} small networks at batch 1: {mean:F2}, target {BenchmarkedModel.OneImageGoal}"));
        }

        return Commands.Finish(rows, json);
    }

    private static Row Measure(BenchmarkedModel network, int batch, int threads)
    {
        Model model = network.Build();
        model.Execution = new() { ThreadCount = threads };
        Tensor images = BenchmarkedModel.Images(model, Math.Max(batch, 2));
        int[] labels = [.. Enumerable.Range(0, images.Shape[0]).Select(image => image % model.OutputShape.Length)];
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), labels.Length);
        for (int step = 0; step < TrainedSteps; step++)
            session.Step(images.Span, labels);

        images = BenchmarkedModel.Images(model, batch);
        var outputs = new Tensor(batch, model.OutputShape.Length);
        using var onnx = new OnnxModel(model, ModelChain.Normalize(model, images), threads);
        InferenceModel inference = model.ToInference();
        inference.Predict(images.Span, outputs.Span);
        onnx.Run();
        Agreement.Require($"{network.Name}, batch {batch}", PeerLibraries.OnnxRuntime, outputs.Span, onnx.Outputs);
        var load = new ForeignLoad();
        IReadOnlyDictionary<string, double> times = Contest.Run(
            new(Contender.Ours, () => inference.Predict(images.Span, outputs.Span)), new(PeerLibraries.OnnxRuntime, onnx.Run));
        var row = new Row(network.Name, threads, batch, times[Contender.Ours], PeerLibraries.OnnxRuntime, times[PeerLibraries.OnnxRuntime]);
        string target = batch == network.Batches[0] ? network.InferenceGoal.ToString(CultureInfo.InvariantCulture) : "-";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{BenchmarkedModel.Label(network.Name, batch)} {threads,7}  {row.OursMilliseconds,9:F3} {row.PeerMilliseconds,9:F3}  {row.Ratio,5:F2}  {target,6}{load.Remark}"));
        return row;
    }
}
