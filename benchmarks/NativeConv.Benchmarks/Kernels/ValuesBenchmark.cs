using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A kernel on a run of values, in and out of the second-level cache. Threads share them in whole numbers of 16.</summary>
public abstract class ValuesBenchmark : KernelBenchmark
{
    private protected const int Together = 16;

    [Params(1 << 14, 1 << 22)]
    public int Length { get; set; }

    private protected override int Items => Length / Together;
}
