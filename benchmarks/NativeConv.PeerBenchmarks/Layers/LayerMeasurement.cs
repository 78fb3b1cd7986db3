using System.CommandLine;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>What the processes of <see cref="LayersCommand"/> run: measures the layers that are not in the journal yet, without what has ended a process.</summary>
internal static class LayerMeasurement
{
    public const string Name = "layers-of";

    public static Command Build()
    {
        var file = new Argument<string>("journal");
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        var command = new Command(Name) { file, threads, filter };
        command.Hidden = true;
        command.SetAction(parsed => Run(new(parsed.GetRequiredValue(file)), parsed.GetValue(threads), parsed.GetValue(filter) ?? []));
        return command;
    }

    public static string Label(LayerShape shape, LayerPass pass) => $"{shape,-36} batch {shape.Batch,-2}  {Text(pass),-9}";

    private static int Run(LayerJournal journal, int threads, string[] filter)
    {
        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.LoadOnnxRuntime();
        IReadOnlyList<LayerEntry> entries = journal.Entries;
        if (entries.Count == 0)
        {
            PeerLibraries.Describe(threads);
            Console.WriteLine("Milliseconds; how many times longer each peer takes. \"gradients\": forward, then the gradients by input and kernel.");
            Console.WriteLine();
            Console.WriteLine($"{"layer",-36} {"batch",-8}  {"pass",-9}      ours  libtorch  ratio  onnxrt.  ratio  networks");
        }

        HashSet<string> measured = Set(LayerEvent.Measured), ended = Set(LayerEvent.Ended);
        foreach ((LayerShape shape, string networks) in LayerTable.All)
        {
            LayerPass[] passes = [.. Enum.GetValues<LayerPass>().Where(pass => Commands.Holds($"{Label(shape, pass)}  {networks}", filter) && !measured.Contains(Label(shape, pass)) && !ended.Contains(Label(shape, pass)))];
            if (passes.Length > 0)
                Measure(shape, networks, passes, threads, journal, ended);

            // Tensors are freed by their finalizers, and a large layer holds gigabytes.
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return 0;

        HashSet<string> Set(LayerEvent happened) => [.. entries.Where(entry => entry.Event == happened).Select(entry => entry.What)];
    }

    private static void Measure(LayerShape shape, string networks, LayerPass[] passes, int threads, LayerJournal journal, HashSet<string> ended)
    {
        var ours = new OwnLayer(shape, threads);
        using var contiguous = new TorchLayer(ours, shape, channelsLast: false);
        using var channelsLast = new TorchLayer(ours, shape, channelsLast: true);
        using var onnx = new OnnxLayer(ours, shape, threads);
        ours.Run(LayerPass.Gradients);
        onnx.RequireAgreement($"{shape}", ours);
        ours.RequireFittingGradients();
        foreach (LayerPass pass in passes)
        {
            TorchLayer[] alive = [.. new[] { contiguous, channelsLast }.Where(layer => !ended.Contains(Trial(layer, pass)))];
            Contender[] libtorch = [.. Agreement.Agreeing(alive, Require).Select(layer => new Contender(PeerLibraries.Libtorch, () => layer.Run(pass)))];
            Contender[] forwardAlone = pass == LayerPass.Forward ? [new(PeerLibraries.OnnxRuntime, onnx.Forward)] : [];
            journal.Add(LayerEvent.Timed, Label(shape, pass));
            var load = new ForeignLoad();
            IReadOnlyDictionary<string, double> times = Contest.Run([new(Contender.Ours, () => ours.Run(pass)), .. libtorch, .. forwardAlone]);
            string name = $"{shape} {Text(pass)}{(networks.Length > 0 ? $" ({networks})" : "")}";
            Row[] rows = [.. times.Where(time => time.Key != Contender.Ours).Select(time => new Row(name, threads, shape.Batch, times[Contender.Ours], time.Key, time.Value))];
            journal.Add(LayerEvent.Measured, Label(shape, pass), rows);
            string peers = string.Concat(new[] { PeerLibraries.Libtorch, PeerLibraries.OnnxRuntime }.Select(peer => Text(rows.FirstOrDefault(row => row.Peer == peer))));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Label(shape, pass)}  {times[Contender.Ours],8:F3}{peers}  {networks}{load.Remark}"));

            void Require(TorchLayer layer)
            {
                journal.Add(LayerEvent.Tried, Trial(layer, pass));
                layer.RequireAgreement(pass, ours);
            }
        }
    }

    private static string Trial(TorchLayer layer, LayerPass pass) => $"{layer}, {Text(pass)}";

    private static string Text(Row? row) =>
        row == null ? new string(' ', 17) : string.Create(CultureInfo.InvariantCulture, $"  {row.PeerMilliseconds,8:F3}  {row.Ratio,5:F2}");

    private static string Text(LayerPass pass) => pass.ToString().ToLowerInvariant();
}
