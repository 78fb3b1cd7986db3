using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A step of stochastic gradient descent with momentum.</summary>
public unsafe class SgdWithMomentum : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory weights = Values.Block(Length), gradient = Values.Block(Length), velocity = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            SgdKernel.WithMomentum<TVector>(
                weights.Pointer + offset, gradient.Pointer + offset, velocity.Pointer + offset, (nint)count * Together, rate: 1e-3f, momentum: 0.9f, nesterov: false);
        };
    }
}
