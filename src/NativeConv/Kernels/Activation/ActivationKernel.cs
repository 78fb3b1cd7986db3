using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>An activation over a run of values. Input and output may be the same memory.</summary>
internal static unsafe class ActivationKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Forward<TVector, TActivation>(float* x, float* y, nint count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        nint i = 0;
        for (; i + TVector.Lanes <= count; i += TVector.Lanes)
            TVector.Store(y + i, TActivation.Forward(TVector.Load(x + i)));

        if (i < count)
            TVector.StorePartial(y + i, TActivation.Forward(TVector.LoadPartial(x + i, (int)(count - i))), (int)(count - i));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Backward<TVector, TActivation>(float* x, float* dy, float* dx, nint count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        nint i = 0;
        for (; i + TVector.Lanes <= count; i += TVector.Lanes)
            TVector.Store(dx + i, TActivation.Backward(TVector.Load(x + i), TVector.Load(dy + i)));

        if (i < count)
        {
            int rest = (int)(count - i);
            TVector.StorePartial(dx + i, TActivation.Backward(TVector.LoadPartial(x + i, rest), TVector.LoadPartial(dy + i, rest)), rest);
        }
    }
}
