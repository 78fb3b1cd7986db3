using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A pass of an activation.</summary>
public abstract class ActivationBenchmark : ValuesBenchmark
{
    [ParamsAllValues]
    public Activation Function { get; set; }
}
