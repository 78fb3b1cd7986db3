using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A step of stochastic gradient descent.</summary>
public unsafe class SgdPlain : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory weights = Values.Block(Length), gradient = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            SgdKernel.Plain<TVector>(weights.Pointer + offset, gradient.Pointer + offset, (nint)count * Together, rate: 1e-3f);
        };
    }
}
