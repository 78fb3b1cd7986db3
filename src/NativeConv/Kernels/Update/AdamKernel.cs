using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// The numbers of one Adam step, with the bias corrections worked out: the step's size is the learning rate over the first moment's correction, the
/// root's factor the inverse square root of the second's, and keep what decoupled decay leaves of a weight.
/// </summary>
internal readonly record struct AdamStep(float Beta1, float Beta2, float Epsilon, float StepSize, float RootCorrection, float Keep);

/// <summary>Adam and AdamW on a whole number of 16 floats.</summary>
internal static unsafe class AdamKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TVector>(float* weights, float* gradient, float* first, float* second, nint count, in AdamStep step)
        where TVector : struct, IVector<TVector>
    {
        TVector beta1 = TVector.Broadcast(step.Beta1), rest1 = TVector.Broadcast(1 - step.Beta1);
        TVector beta2 = TVector.Broadcast(step.Beta2), rest2 = TVector.Broadcast(1 - step.Beta2);
        TVector epsilon = TVector.Broadcast(step.Epsilon), root = TVector.Broadcast(step.RootCorrection);
        TVector size = TVector.Broadcast(-step.StepSize), keep = TVector.Broadcast(step.Keep);
        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            TVector g = TVector.Load(gradient + i);
            TVector m = TVector.MultiplyAdd(beta1, TVector.Load(first + i), rest1 * g);
            TVector v = TVector.MultiplyAdd(beta2, TVector.Load(second + i), rest2 * g * g);
            TVector.Store(first + i, m);
            TVector.Store(second + i, v);
            TVector ratio = m / TVector.MultiplyAdd(TVector.Sqrt(v), root, epsilon);
            TVector.Store(weights + i, TVector.MultiplyAdd(size, ratio, keep * TVector.Load(weights + i)));
        }
    }
}
