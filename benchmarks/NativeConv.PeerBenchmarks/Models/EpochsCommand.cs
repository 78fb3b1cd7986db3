using System.CommandLine;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>
/// Measures epochs of training as users run them, shuffled and batched by <see cref="ModelTraining.Fit"/>, against what libtorch's step alone makes of as many. Evaluation is
/// on neither side.
/// </summary>
internal static class EpochsCommand
{
    private const string Network = "separable";
    private const int Images = 60_000, BatchSize = 128, Epochs = 5, Steps = 200, WarmSteps = 10;
    private const float LearningRate = 1e-3f;
    private const double Goal = 9;

    public static Command Build()
    {
        Option<int> threads = Commands.Threads();
        Option<string?> json = Commands.Json();
        var command = new Command("epochs", $"Measures {Epochs} epochs of {Images} images on {Network}.") { threads, json };
        command.SetAction(parsed => Run(parsed.GetValue(threads), parsed.GetValue(json)));
        return command;
    }

    private static int Run(int threads, string? json)
    {
        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.Describe(threads);
        BenchmarkedModel network = BenchmarkedModel.All.Single(network => network.Name == Network);
        double step = LibtorchStep(network, threads), steps = Epochs * Math.Ceiling((double)Images / BatchSize);
        Model model = network.Build();
        model.Execution = new() { ThreadCount = threads };
        Dataset digits = DrawnDigits.Create(Images, seed: 1);
        var load = new ForeignLoad();
        double ours = Contest.Time(() => model.Fit(digits, options: new() { Epochs = Epochs, BatchSize = BatchSize, Optimizer = new Adam(LearningRate), Seed = 1 }));
        var row = new Row($"{Network}, {Epochs} epochs", threads, BatchSize, ours, PeerLibraries.Libtorch, step * steps);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Epochs} epochs of {Images} images, batch {BatchSize}: {row.OursMilliseconds / 1000:F1} s; libtorch's {steps} steps of {step:F1} ms (median of {Steps}): {row.PeerMilliseconds / 1000:F1} s, {row.Ratio:F2} times longer (target {Goal}){load.Remark}"));
        return Commands.Finish([row], json);
    }

    /// <summary>The median of libtorch's steps, milliseconds, in the memory format that suits it better.</summary>
    private static double LibtorchStep(BenchmarkedModel network, int threads)
    {
        using var training = new ComparedTraining(network, BatchSize, threads);
        return training.Libtorch.Min(peer =>
        {
            for (int i = 0; i < WarmSteps; i++)
                peer.Step();

            return Contest.Median([.. Enumerable.Range(0, Steps).Select(_ => Contest.Time(() => peer.Step()))]);
        });
    }
}
