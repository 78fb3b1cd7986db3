using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Stochastic gradient descent on a whole number of 16 floats.</summary>
internal static unsafe class SgdKernel
{
    public static void Plain<TVector>(float* weights, float* gradient, nint count, float rate)
        where TVector : struct, IVector<TVector>
    {
        TVector step = TVector.Broadcast(-rate);
        for (nint i = 0; i < count; i += TVector.Lanes)
            TVector.Store(weights + i, TVector.MultiplyAdd(step, TVector.Load(gradient + i), TVector.Load(weights + i)));
    }

    /// <summary>The velocity gathers gradients; Nesterov's form steps along the velocity to come.</summary>
    public static void WithMomentum<TVector>(float* weights, float* gradient, float* velocity, nint count, float rate, float momentum, bool nesterov)
        where TVector : struct, IVector<TVector>
    {
        TVector step = TVector.Broadcast(-rate), keep = TVector.Broadcast(momentum);
        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            TVector g = TVector.Load(gradient + i);
            TVector v = TVector.MultiplyAdd(keep, TVector.Load(velocity + i), g);
            TVector.Store(velocity + i, v);
            TVector along = nesterov ? TVector.MultiplyAdd(keep, v, g) : v;
            TVector.Store(weights + i, TVector.MultiplyAdd(step, along, TVector.Load(weights + i)));
        }
    }
}
