using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A step of RMSprop.</summary>
public unsafe class RmsPropUpdate : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        // Squares start at 0: they may not be negative.
        AlignedMemory weights = Values.Block(Length), gradient = Values.Block(Length), squares = new(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            RmsPropKernel.Run<TVector>(
                weights.Pointer + offset, gradient.Pointer + offset, squares.Pointer + offset, (nint)count * Together, rate: 1e-3f, alpha: 0.9f, epsilon: 1e-8f);
        };
    }
}
