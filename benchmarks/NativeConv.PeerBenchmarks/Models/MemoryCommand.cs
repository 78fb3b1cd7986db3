using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>
/// Measures by how much a process's peak memory grows from before the model to after twenty training steps, each side and network in a process of its own. Linux alone
/// says what a process's peak was.
/// </summary>
internal static class MemoryCommand
{
    private const string OfOne = "memory-of", Status = "/proc/self/status", Peak = "VmHWM:";
    private const int Steps = 20, MostSeconds = 600;
    private const double Goal = 2;

    public static Command Build()
    {
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        Option<string?> json = Commands.Json();
        var command = new Command("memory", "Measures the growth of peak memory over training steps.") { threads, filter, json };
        command.SetAction(parsed => Run(parsed.GetValue(threads), parsed.GetValue(filter) ?? [], parsed.GetValue(json)));
        return command;
    }

    /// <summary>What the processes of <see cref="Build"/> run: prints the growth in KiB.</summary>
    public static Command BuildOfOne()
    {
        var network = new Argument<string>("network");
        var side = new Argument<string>("side");
        Option<int> threads = Commands.Threads();
        var command = new Command(OfOne) { network, side, threads };
        command.Hidden = true;
        command.SetAction(parsed => RunOne(
            BenchmarkedModel.All.Single(model => model.Name == parsed.GetValue(network)), parsed.GetValue(side) == Contender.Ours, parsed.GetValue(threads)));
        return command;
    }

    private static int Run(int threads, string[] filter, string? json)
    {
        if (!File.Exists(Status))
            throw new PeerException($"The peak of a process's memory is read from {Status}, which this system does not have.");

        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.Describe(threads);
        Console.WriteLine($"MiB by which the peak grows from before the model to after {Steps} steps; how many times more libtorch's does (target {Goal}).");
        Console.WriteLine();
        Console.WriteLine($"{"network",-18} {"batch",-9}      ours  libtorch  ratio");
        var rows = new List<MemoryRow>();
        foreach (BenchmarkedModel network in BenchmarkedModel.All)
        {
            string label = BenchmarkedModel.Label(network.Name, network.Batches[0]);
            if (!Commands.Holds(label, filter))
                continue;

            var row = new MemoryRow(network.Name, threads, network.Batches[0], Growth(network, Contender.Ours, threads), PeerLibraries.Libtorch, Growth(network, PeerLibraries.Libtorch, threads));
            rows.Add(row);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label}  {row.OursMebibytes,8:F1}  {row.PeerMebibytes,8:F1}  {row.Ratio,5:F2}"));
        }

        return Commands.Finish(rows, json);
    }

    private static double Growth(BenchmarkedModel network, string side, int threads)
    {
        using Process process = OwnProcess.Start(redirectsOutput: true, OfOne, network.Name, side, "--threads", threads.ToString(CultureInfo.InvariantCulture));
        string output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(TimeSpan.FromSeconds(MostSeconds)) || process.ExitCode != 0)
            throw new PeerException($"The process that trains {network.Name} by {side} ended with {process.ExitCode}.");

        return long.Parse(output, CultureInfo.InvariantCulture) / 1024.0;
    }

    private static int RunOne(BenchmarkedModel network, bool ours, int threads)
    {
        int batch = network.Batches[0];
        Model model = network.Build();
        model.Execution = new() { ThreadCount = threads };
        Tensor images = BenchmarkedModel.Images(model, batch), normalized = ModelChain.Normalize(model, images);
        int[] labels = [.. Enumerable.Range(0, batch).Select(image => image % model.OutputShape.Length)];
        if (!ours)
            PeerLibraries.LoadLibtorch(threads);

        GC.Collect();
        long before = PeakKibibytes();
        if (ours)
        {
            Model fresh = network.Build();
            fresh.Execution = model.Execution;
            TrainingSession session = fresh.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), batch);
            for (int step = 0; step < Steps; step++)
                session.Step(images.Span, labels);
        }
        else
        {
            using var torch = new TorchModel(model, normalized, labels, 1e-3f, channelsLast: false);
            for (int step = 0; step < Steps; step++)
                torch.Step();
        }

        Console.Write((PeakKibibytes() - before).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static long PeakKibibytes()
    {
        string line = File.ReadLines(Status).First(line => line.StartsWith(Peak, StringComparison.Ordinal));
        return long.Parse(line[Peak.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
