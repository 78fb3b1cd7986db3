using System.Globalization;
using NativeConv.PeerBenchmarks.Peers;

namespace NativeConv.PeerBenchmarks.Layers;

internal enum LayerPass
{
    Forward,

    /// <summary>Forward, then the gradients by input and kernel.</summary>
    Gradients,
}

/// <summary>A row and what it measures.</summary>
internal sealed record MeasuredLayer(LayerShape Shape, LayerPass Pass, Row Row);

/// <summary>Gathers rows into the classes that have a target, and names those where a peer is faster.</summary>
internal static class LayerSummary
{
    private const double LeastRatio = 0.9;

    // The third-level cache of the machine whose targets these are.
    private const long CacheBytes = 32L << 20;

    /// <summary>The first whose test holds takes the row; those without a target have 0.</summary>
    private static readonly (string Name, double Target, Func<LayerShape, LayerPass, bool> Holds)[] Classes =
    [
        ("depthwise forward", 4, (shape, pass) => pass == LayerPass.Forward && shape.Kind == LayerKind.Depthwise),
        ("pointwise forward", 1, (shape, pass) => pass == LayerPass.Forward && shape.Kind == LayerKind.Pointwise),
        ("dense forward", 1, (shape, pass) => pass == LayerPass.Forward),
        ("dilated depthwise, from DRAM", 8, (shape, _) => shape is { Kind: LayerKind.Depthwise, Multiplier: 1, Dilation: > 1, Window: <= 5 } && !IsCached(shape)),
        ("dilated depthwise 3x3, in cache", 25, (shape, _) => shape is { Kind: LayerKind.Depthwise, Multiplier: 1, Dilation: > 1, Window: 3 }),
        ("dilated depthwise 5x5, in cache", 20, (shape, _) => shape is { Kind: LayerKind.Depthwise, Multiplier: 1, Dilation: > 1, Window: 5 }),
        ("plain depthwise 3x3", 6, (shape, _) => shape is { Kind: LayerKind.Depthwise, Multiplier: 1, Window: 3 }),
        ("plain depthwise 5x5", 0, (shape, _) => shape is { Kind: LayerKind.Depthwise, Multiplier: 1, Window: 5 }),
        ("depthwise 7x7 or with a multiplier", 0, (shape, _) => shape.Kind == LayerKind.Depthwise),
        ("pointwise, up to 128 channels", 1.4, (shape, _) => shape.Kind == LayerKind.Pointwise && Channels(shape) <= 128),
        ("pointwise, 129 to 511 channels", 0, (shape, _) => shape.Kind == LayerKind.Pointwise && Channels(shape) < 512),
        ("pointwise, from 512 channels", 1.05, (shape, _) => shape.Kind == LayerKind.Pointwise),
        ("dense", 1.1, (_, _) => true),
    ];

    public static void Print(IReadOnlyList<MeasuredLayer> layers)
    {
        Console.WriteLine();
        Console.WriteLine($"{"class",-36} {"against",-12} target  rows  geometric mean   worst");
        foreach (string peer in layers.Select(layer => layer.Row.Peer).Distinct())
        {
            foreach ((string name, double target, _) in Classes)
            {
                MeasuredLayer[] members = [.. layers.Where(layer => layer.Row.Peer == peer && ClassOf(layer) == name)];
                if (members.Length == 0)
                    continue;

                double mean = Math.Exp(members.Average(layer => Math.Log(layer.Row.Ratio)));
                Row worst = members.MinBy(layer => layer.Row.Ratio)!.Row;
                string aim = peer == PeerLibraries.Libtorch && target > 0 ? target.ToString(CultureInfo.InvariantCulture) : "-";
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{name,-36} {peer,-12} {aim,6} {members.Length,5} {mean,15:F2} {worst.Ratio,7:F2}  {worst.Name}, batch {worst.Batch}"));
            }
        }

        Row[] slow = [.. layers.Select(layer => layer.Row).Where(row => row.Peer == PeerLibraries.Libtorch && row.Ratio < LeastRatio).OrderBy(row => row.Ratio)];
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{slow.Length} rows below {LeastRatio}x {PeerLibraries.Libtorch}{(slow.Length > 0 ? ":" : ".")}"));
        foreach (Row row in slow)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Ratio,6:F2}  {row.Name}, batch {row.Batch}"));
    }

    private static string ClassOf(MeasuredLayer layer) => Classes.First(entry => entry.Holds(layer.Shape, layer.Pass)).Name;

    /// <summary>Whether input, output gradient and input gradient fit the cache together.</summary>
    private static bool IsCached(LayerShape shape) => sizeof(float) * ((2L * shape.InputLength) + shape.OutputLength) <= CacheBytes;

    private static int Channels(LayerShape shape) => Math.Max(shape.Channels, shape.Filters);
}
