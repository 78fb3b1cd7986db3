using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A kernel on rows of logits.</summary>
public abstract class SoftmaxBenchmark : KernelBenchmark
{
    private protected const int Rows = 512;

    [Params(10, 47, 1000)]
    public int Classes { get; set; }

    private protected override int Items => Rows;
}
