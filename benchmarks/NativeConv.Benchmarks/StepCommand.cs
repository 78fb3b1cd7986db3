using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MnistTrainer;

namespace NativeConv.Benchmarks;

/// <summary>Times training steps and inference of the trainer's networks: the median of many runs on random images, on a quiet machine.</summary>
internal static class StepCommand
{
    private const int Warmup = 30;

    public static RootCommand Build()
    {
        var batch = new Option<int>("--batch-size") { DefaultValueFactory = _ => 128 };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => Environment.ProcessorCount };
        var repeats = new Option<int>("--repeats") { DefaultValueFactory = _ => 30 };
        var network = new Option<string[]>("--model") { DefaultValueFactory = _ => [.. Recipes.Names] };
        var json = new Option<string?>("--json") { Description = "Also writes the figures to this file." };
        var command = new RootCommand("Times training steps and inference.") { batch, threads, repeats, network, json };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(network), parsed.GetValue(batch), parsed.GetValue(threads), parsed.GetValue(repeats), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string[] networks, int batchSize, int threads, int repeats, string? json)
    {
        var results = new JsonArray();
        Console.WriteLine("network      batch  threads  level       step ms   min    inference ms   min   step bytes");
        foreach (string name in networks)
        {
            Model model = Recipes.Get(name).Build(42);
            model.Execution = new() { ThreadCount = threads };
            float[] images = new float[batchSize * model.InputShape.Length], outputs = new float[batchSize * model.OutputShape.Length];
            int[] labels = new int[batchSize];
            Values.FillImages(images, labels);
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-4f), batchSize);
            (double step, double leastStep, long bytes) = Measure(repeats, () => session.Step(images, labels));
            (double inference, double leastInference, _) = Measure(repeats, () => model.Predict(images, outputs));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-12} {batchSize,5} {threads,8}  {model.Execution.Level,-10} {step,8:F2} {leastStep,6:F2} {inference,14:F2} {leastInference,6:F2} {bytes,11}"));
            results.Add(new JsonObject
            {
                ["network"] = name, ["batchSize"] = batchSize, ["threads"] = threads, ["level"] = model.Execution.Level.ToString(),
                ["stepMilliseconds"] = step, ["leastStepMilliseconds"] = leastStep,
                ["inferenceMilliseconds"] = inference, ["leastInferenceMilliseconds"] = leastInference, ["stepAllocatedBytes"] = bytes,
            });
        }

        if (json != null)
            File.WriteAllText(json, results.ToJsonString(new() { WriteIndented = true }));

        return 0;
    }

    /// <summary>The median and the least time in milliseconds, and the bytes that this thread allocated a run.</summary>
    public static (double Median, double Least, long Bytes) Measure(int repeats, Action action)
    {
        for (int i = 0; i < Warmup; i++)
            action();

        double[] times = new double[repeats];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / repeats;
        Array.Sort(times);
        return (times[repeats / 2], times[0], bytes);
    }
}
