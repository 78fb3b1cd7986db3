using System.CommandLine;
using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>Measures single layers, forward and with both gradients, against libtorch, and forward against ONNX Runtime.</summary>
internal static class LayersCommand
{
    public static Command Build()
    {
        Option<int> threads = Commands.Threads();
        Option<string[]> filter = Commands.Filter();
        Option<string?> json = Commands.Json();
        var command = new Command("layers", "Measures single layers.") { threads, filter, json };
        command.SetAction(parsed => Run(parsed.GetValue(threads), parsed.GetValue(filter) ?? [], parsed.GetValue(json)));
        return command;
    }

    private static int Run(int threads, string[] filter, string? json)
    {
        PeerLibraries.LoadLibtorch(threads);
        PeerLibraries.LoadOnnxRuntime();
        PeerLibraries.Describe(threads);
        Console.WriteLine("Milliseconds; how many times longer each peer takes. \"gradients\": forward, then the gradients by input and kernel.");
        Console.WriteLine();
        Console.WriteLine($"{"layer",-36} {"batch",-8}  {"pass",-9}      ours  libtorch  ratio  onnxrt.  ratio  networks");
        var measured = new List<MeasuredLayer>();
        foreach ((LayerShape shape, string networks) in LayerTable.All)
        {
            LayerPass[] passes = [.. Enum.GetValues<LayerPass>().Where(pass => Commands.Holds($"{Label(shape, pass)}  {networks}", filter))];
            if (passes.Length > 0)
                Measure(shape, networks, passes, threads, measured);

            // Tensors are freed by their finalizers, and a large layer holds gigabytes.
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        if (measured.Count > 0)
            LayerSummary.Print(measured);

        return Commands.Finish([.. measured.Select(layer => layer.Row)], json);
    }

    private static void Measure(LayerShape shape, string networks, LayerPass[] passes, int threads, List<MeasuredLayer> measured)
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
            IEnumerable<Contender> libtorch = Agreement.Agreeing([contiguous, channelsLast], layer => layer.RequireAgreement(pass, ours))
                .Select(layer => new Contender(PeerLibraries.Libtorch, () => layer.Run(pass)));
            Contender[] forwardAlone = pass == LayerPass.Forward ? [new(PeerLibraries.OnnxRuntime, onnx.Forward)] : [];
            var load = new ForeignLoad();
            IReadOnlyDictionary<string, double> times = Contest.Run([new(Contender.Ours, () => ours.Run(pass)), .. libtorch, .. forwardAlone]);
            string name = $"{shape} {Text(pass)}{(networks.Length > 0 ? $" ({networks})" : "")}";
            Row[] rows = [.. times.Where(time => time.Key != Contender.Ours).Select(time => new Row(name, threads, shape.Batch, times[Contender.Ours], time.Key, time.Value))];
            measured.AddRange(rows.Select(row => new MeasuredLayer(shape, pass, row)));
            string peers = string.Concat(new[] { PeerLibraries.Libtorch, PeerLibraries.OnnxRuntime }.Select(peer => Text(rows.FirstOrDefault(row => row.Peer == peer))));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Label(shape, pass)}  {times[Contender.Ours],8:F3}{peers}  {networks}{load.Remark}"));
        }
    }

    private static string Label(LayerShape shape, LayerPass pass) => $"{shape,-36} batch {shape.Batch,-2}  {Text(pass),-9}";

    private static string Text(Row? row) =>
        row == null ? new string(' ', 17) : string.Create(CultureInfo.InvariantCulture, $"  {row.PeerMilliseconds,8:F3}  {row.Ratio,5:F2}");

    private static string Text(LayerPass pass) => pass.ToString().ToLowerInvariant();
}
