using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>RMSprop on a whole number of 16 floats.</summary>
internal static unsafe class RmsPropKernel
{
    public static void Run<TVector>(float* weights, float* gradient, float* second, nint count, float rate, float alpha, float epsilon)
        where TVector : struct, IVector<TVector>
    {
        TVector step = TVector.Broadcast(-rate), keep = TVector.Broadcast(alpha), rest = TVector.Broadcast(1 - alpha), floor = TVector.Broadcast(epsilon);
        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            TVector g = TVector.Load(gradient + i);
            TVector v = TVector.MultiplyAdd(keep, TVector.Load(second + i), rest * g * g);
            TVector.Store(second + i, v);
            TVector.Store(weights + i, TVector.MultiplyAdd(step, g / (TVector.Sqrt(v) + floor), TVector.Load(weights + i)));
        }
    }
}
