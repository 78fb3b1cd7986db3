using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of an activation.</summary>
public unsafe class ActivationBackward : ActivationBenchmark
{
    private protected override Share Bind<TVector>() =>
        ActivationDispatch.Run<Work<TVector>, Share>(Function, new(Values.Block(Length), Values.Block(Length), Values.Block(Length)));

    private readonly struct Work<TVector>(AlignedMemory x, AlignedMemory dy, AlignedMemory dx) : IActivationWork<Share>
        where TVector : struct, IVector<TVector>
    {
        public Share Run<TActivation>()
            where TActivation : struct, IActivation
        {
            AlignedMemory from = x, gradient = dy, to = dx;
            return (_, first, count) =>
            {
                nint offset = (nint)first * Together;
                ActivationKernel.Backward<TVector, TActivation>(from.Pointer + offset, gradient.Pointer + offset, to.Pointer + offset, (nint)count * Together);
            };
        }
    }
}
