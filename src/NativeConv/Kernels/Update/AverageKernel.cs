using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Moves an average towards values, on a whole number of 16 floats: average += rate (values - average).</summary>
internal static unsafe class AverageKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TVector>(float* values, float* average, nint count, float rate)
        where TVector : struct, IVector<TVector>
    {
        TVector part = TVector.Broadcast(rate);
        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            TVector a = TVector.Load(average + i);
            TVector.Store(average + i, TVector.MultiplyAdd(part, TVector.Load(values + i) - a, a));
        }
    }
}
