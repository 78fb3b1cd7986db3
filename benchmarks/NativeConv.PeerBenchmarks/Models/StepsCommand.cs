using System.CommandLine;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>Measures training steps - forward, softmax cross-entropy, backward, Adam - against libtorch.</summary>
internal static class StepsCommand
{
    public static Command Build()
    {
        Option<int[]> batches = Commands.Batches();
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        Option<string?> json = Commands.Json();
        var command = new Command("steps", "Measures training steps.") { batches, threads, filter, json };
        command.SetAction(parsed => Run(parsed.GetValue(batches) ?? [], parsed.GetValue(threads), parsed.GetValue(filter) ?? [], parsed.GetValue(json)));
        return command;
    }

    private static int Run(int[] batches, int threads, string[] filter, string? json)
    {
        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.Describe(threads);
        Console.WriteLine("Milliseconds a step; how many times longer libtorch takes. Its images are normalized beforehand, NativeConv's within the step.");
        Console.WriteLine();
        Console.WriteLine($"{"network",-18} {"batch",-9}      ours  libtorch  ratio  target");
        var rows = new List<Row>();
        foreach (BenchmarkedModel network in BenchmarkedModel.All)
        {
            foreach (int batch in batches.Length > 0 ? batches : network.Batches)
            {
                if (Commands.Holds(BenchmarkedModel.Label(network.Name, batch), filter))
                    rows.Add(Measure(network, batch, threads));
            }
        }

        return Commands.Finish(rows, json);
    }

    private static Row Measure(BenchmarkedModel network, int batch, int threads)
    {
        using var training = new ComparedTraining(network, batch, threads);
        IEnumerable<Contender> libtorch = training.Libtorch.Select(peer => new Contender(PeerLibraries.Libtorch, () => peer.Step()));
        var load = new ForeignLoad();
        IReadOnlyDictionary<string, double> times = Contest.Run([new(Contender.Ours, () => training.Step()), .. libtorch]);
        string label = BenchmarkedModel.Label(network.Name, batch);
        var row = new Row(network.Name, threads, batch, times[Contender.Ours], PeerLibraries.Libtorch, times[PeerLibraries.Libtorch]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{label}  {row.OursMilliseconds,8:F2}  {row.PeerMilliseconds,8:F2}  {row.Ratio,5:F2}  {network.StepTarget(batch),6}{load.Remark}"));
        return row;
    }
}
