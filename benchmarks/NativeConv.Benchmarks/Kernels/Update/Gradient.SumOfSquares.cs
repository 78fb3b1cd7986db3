using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The sum of squares that a gradient's norm is the root of.</summary>
public unsafe class GradientSumOfSquares : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory gradient = Values.Block(Length);
        double[] sums = new double[Threads];
        return (worker, first, count) => sums[worker] = GradientKernel.SumOfSquares<TVector>(gradient.Pointer + ((nint)first * Together), (nint)count * Together);
    }
}
