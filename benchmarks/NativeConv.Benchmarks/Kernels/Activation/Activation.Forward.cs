using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of an activation.</summary>
public unsafe class ActivationForward : ActivationBenchmark
{
    private protected override RangeWork Bind<TVector>() => ActivationDispatch.Run<Work<TVector>, RangeWork>(Function, new(Values.Block(Length), Values.Block(Length)));

    private readonly struct Work<TVector>(AlignedMemory x, AlignedMemory y) : IActivationWork<RangeWork>
        where TVector : struct, IVector<TVector>
    {
        public RangeWork Run<TActivation>()
            where TActivation : struct, IActivation
        {
            AlignedMemory from = x, to = y;
            return (_, first, count) => ActivationKernel.Forward<TVector, TActivation>(
                from.Pointer + ((nint)first * Together), to.Pointer + ((nint)first * Together), (nint)count * Together);
        }
    }
}
