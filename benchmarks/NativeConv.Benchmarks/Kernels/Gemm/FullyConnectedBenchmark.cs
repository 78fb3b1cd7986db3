using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The sizes of a dense layer and its batch.</summary>
public sealed record FullyConnectedShape(int Images, int Inputs, int Outputs)
{
    public override string ToString() => $"{Images}x{Inputs}->{Outputs}";
}

/// <summary>A pass of a dense layer.</summary>
public abstract class FullyConnectedBenchmark : KernelBenchmark
{
    public static IEnumerable<FullyConnectedShape> Shapes => [new(128, 1568, 10), new(128, 12544, 10), new(128, 512, 512), new(128, 100, 17), new(1, 1024, 1000)];

    [ParamsSource(nameof(Shapes))]
    public FullyConnectedShape Shape { get; set; } = new(1, 1, 1);

    private protected override int Items => Shape.Images;
}
