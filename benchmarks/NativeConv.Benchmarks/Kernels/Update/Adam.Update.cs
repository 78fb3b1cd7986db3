using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A step of Adam.</summary>
public unsafe class AdamUpdate : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        // Second moments start at 0: they may not be negative.
        AlignedMemory weights = Values.Block(Length), gradient = Values.Block(Length), means = Values.Block(Length), squares = new(Length);
        var step = new AdamStep(Beta1: 0.9f, Beta2: 0.999f, Epsilon: 1e-8f, StepSize: 1e-3f, RootCorrection: 1, Keep: 1);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            AdamKernel.Run<TVector>(
                weights.Pointer + offset, gradient.Pointer + offset, means.Pointer + offset, squares.Pointer + offset, (nint)count * Together, step);
        };
    }
}
