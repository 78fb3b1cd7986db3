using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The sizes of a pooling and its batch.</summary>
public sealed record PoolingShape(int Images, int Size, int Channels, int Window, int Stride)
{
    public Conv2DGeometry Geometry => new(Size, Size, Window, Stride, 1, Padding.Same);

    public nint InputLength => (nint)Size * Size * Channels;

    public nint OutputLength => (nint)Geometry.OutputHeight * Geometry.OutputWidth * Channels;

    public override string ToString() => $"{Images}x{Size}x{Size}x{Channels} {Window}x{Window} s{Stride}";
}

/// <summary>A pass of a pooling: windows that tile the image, that overlap, and odd channels.</summary>
public abstract class PoolingBenchmark : KernelBenchmark
{
    public static IEnumerable<PoolingShape> Shapes => [new(32, 28, 64, 2, 2), new(32, 28, 17, 2, 2), new(32, 28, 1, 2, 2), new(4, 112, 64, 3, 2), new(32, 14, 64, 3, 1)];

    [ParamsSource(nameof(Shapes))]
    public PoolingShape Shape { get; set; } = new(1, 1, 1, 1, 1);

    private protected override int Items => Shape.Images;
}
