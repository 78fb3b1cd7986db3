using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of an activation.</summary>
public unsafe class ActivationBackward : ActivationBenchmark
{
    private protected override RangeWork Bind<TVector>() =>
        ActivationDispatch.Run<Work<TVector>, RangeWork>(Function, new(Values.Block(Length), Values.Block(Length), Values.Block(Length)));

    private readonly struct Work<TVector>(AlignedMemory x, AlignedMemory dy, AlignedMemory dx) : IActivationWork<RangeWork>
        where TVector : struct, IVector<TVector>
    {
        public RangeWork Run<TActivation>()
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
