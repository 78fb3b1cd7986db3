using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Pooling on 32 images of 28 x 28 x 64. Needs a quiet machine.</summary>
public class PoolingBenchmarks
{
    private const int Images = 32, Channels = 64;
    private static readonly ImageShape Shape = new(28, 28, Channels);
    private readonly ExecutionOptions _execution = new();
    private readonly Conv2DGeometry _geometry = new(28, 28, 2, 2, 1, Padding.Valid);
    private readonly float[] _x = Values.Random(Images * 28 * 28 * Channels), _y = new float[Images * 14 * 14 * Channels], _means = new float[Images * Channels];
    private readonly byte[] _winners = new byte[Images * 14 * 14 * Channels];

    [Benchmark]
    public void MaxForward() => Pooling.MaxForward(_geometry, Channels, _x, _y, _winners, _execution);

    [Benchmark]
    public void MaxBackward() => Pooling.MaxBackward(_geometry, Channels, _y, _winners, _x, _execution);

    [Benchmark]
    public void AverageForward() => Pooling.AverageForward(_geometry, Channels, _x, _y, _execution);

    [Benchmark]
    public void AverageBackward() => Pooling.AverageBackward(_geometry, Channels, _y, _x, _execution);

    [Benchmark]
    public void GlobalAverageForward() => Pooling.GlobalAverageForward(Shape, _x, _means, _execution);

    [Benchmark]
    public void GlobalAverageBackward() => Pooling.GlobalAverageBackward(Shape, _means, _x, _execution);
}
