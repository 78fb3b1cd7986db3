using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Square images.</summary>
public sealed record ImageBatch(int Images, int Size, int Channels)
{
    public int Pixels => Size * Size;

    public long Length => (long)Images * Pixels * Channels;

    public override string ToString() => $"{Images}x{Size}x{Size}x{Channels}";
}

/// <summary>A kernel on whole images.</summary>
public abstract class BatchBenchmark : KernelBenchmark
{
    public static IEnumerable<ImageBatch> Batches => [new(32, 28, 64), new(32, 14, 128), new(32, 7, 512), new(32, 28, 17), new(32, 28, 1), new(4, 112, 128)];

    [ParamsSource(nameof(Batches))]
    public ImageBatch Batch { get; set; } = new(1, 1, 1);

    private protected override int Items => Batch.Images;
}
