namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>
/// The layers to measure: a list of common and odd ones, then every depthwise and pointwise convolution of three networks at 224x224. The dense layers of
/// squeeze-and-excitation, which see no image, are not among them.
/// </summary>
internal static class LayerTable
{
    private const int CommonBatch = 32;

    private static readonly int[] NetworkBatches = [1, 8, 32];

    /// <summary>Every shape once, with the networks that have it.</summary>
    public static IEnumerable<(LayerShape Shape, string Networks)> All => Named("", Common())
        .Concat(NetworkBatches.SelectMany(batch =>
            Named("MobileNet V1", MobileNetV1(batch)).Concat(Named("MobileNet V2", MobileNetV2(batch))).Concat(Named("EfficientNet-B0", EfficientNetB0(batch)))))
        .GroupBy(entry => entry.Shape, entry => entry.Network)
        .Select(group => (group.Key, string.Join(", ", group.Where(network => network.Length > 0).Distinct())));

    private static IEnumerable<(LayerShape Shape, string Network)> Named(string network, IEnumerable<LayerShape> shapes) => shapes.Select(shape => (shape, network));

    private static IEnumerable<LayerShape> Common() =>
    [
        Depthwise(28, 64, 3), Depthwise(28, 64, 3, dilation: 2), Depthwise(28, 64, 3, dilation: 4), Depthwise(28, 64, 3, dilation: 8),
        Depthwise(28, 64, 5), Depthwise(28, 64, 5, dilation: 2), Depthwise(28, 64, 7), Depthwise(28, 64, 7, dilation: 2),
        Depthwise(28, 64, 3, stride: 2), Depthwise(28, 64, 5, stride: 2), Depthwise(28, 64, 7, stride: 2),
        Depthwise(28, 17, 3), Depthwise(28, 17, 3, dilation: 2), Depthwise(28, 100, 3), Depthwise(28, 100, 3, dilation: 2),
        Depthwise(28, 1, 3), Depthwise(28, 1, 3, multiplier: 64), Depthwise(28, 32, 3, multiplier: 2), Depthwise(28, 32, 3, dilation: 2, multiplier: 2),
        Depthwise(112, 128, 3, dilation: 2, batch: 4), Depthwise(14, 512, 3, dilation: 2, batch: 8),
        Pointwise(28, 64, 64), Pointwise(28, 128, 128), Pointwise(14, 512, 512, batch: 8), Pointwise(28, 17, 17), Pointwise(28, 100, 100), Pointwise(28, 64, 1),
        Dense(14, 64, 32, dilation: 2), Dense(28, 64, 64), Dense(28, 64, 64, dilation: 4), Dense(28, 64, 64, dilation: 8), Dense(28, 64, 128, stride: 2),
        Dense(28, 1, 32), Dense(28, 1, 64, dilation: 2), Dense(28, 17, 17), Dense(28, 100, 100),
    ];

    /// <summary>Howard et al., 2017, table 1.</summary>
    private static IEnumerable<LayerShape> MobileNetV1(int batch)
    {
        (int Filters, int Stride)[] blocks =
            [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)];
        int size = 112, channels = 32;
        foreach ((int filters, int stride) in blocks)
        {
            yield return Depthwise(size, channels, 3, stride, batch: batch);
            size /= stride;
            yield return Pointwise(size, channels, filters, batch);
            channels = filters;
        }
    }

    /// <summary>Sandler et al., 2018, table 2.</summary>
    private static IEnumerable<LayerShape> MobileNetV2(int batch) => InvertedBottlenecks(
        batch,
        (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 3, 32, 3, 2), (6, 3, 64, 4, 2), (6, 3, 96, 3, 1), (6, 3, 160, 3, 2), (6, 3, 320, 1, 1));

    /// <summary>Tan and Le, 2019, table 1.</summary>
    private static IEnumerable<LayerShape> EfficientNetB0(int batch) => InvertedBottlenecks(
        batch,
        (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1));

    /// <summary>Stages of blocks that expand, filter by depth and project, from a stem of 32 channels to a head of 1280.</summary>
    private static IEnumerable<LayerShape> InvertedBottlenecks(int batch, params (int Expansion, int Window, int Filters, int Blocks, int Stride)[] stages)
    {
        int size = 112, channels = 32;
        foreach ((int expansion, int window, int filters, int blocks, int firstStride) in stages)
        {
            for (int block = 0; block < blocks; block++)
            {
                int expanded = channels * expansion, stride = block == 0 ? firstStride : 1;
                if (expansion > 1)
                    yield return Pointwise(size, channels, expanded, batch);

                yield return Depthwise(size, expanded, window, stride, batch: batch);
                size /= stride;
                yield return Pointwise(size, expanded, filters, batch);
                channels = filters;
            }
        }

        yield return Pointwise(size, channels, 1280, batch);
    }

    private static LayerShape Depthwise(int size, int channels, int window, int stride = 1, int dilation = 1, int multiplier = 1, int batch = CommonBatch) =>
        new(LayerKind.Depthwise, size, channels, channels * multiplier, window, stride, dilation, batch);

    private static LayerShape Pointwise(int size, int channels, int filters, int batch = CommonBatch) =>
        new(LayerKind.Pointwise, size, channels, filters, Window: 1, Stride: 1, Dilation: 1, batch);

    private static LayerShape Dense(int size, int channels, int filters, int stride = 1, int dilation = 1, int batch = CommonBatch) =>
        new(LayerKind.Dense, size, channels, filters, Window: 3, stride, dilation, batch);
}
