using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>ReLU or ReLU6 where a kernel stores its results, or nothing: they cost an instruction or two there, and have no bodies of their own.</summary>
/// <param name="IsOn">Whether results are rectified.</param>
/// <param name="IsCapped">Whether they are at most 6.</param>
internal readonly record struct Rectifier(bool IsOn, bool IsCapped)
{
    /// <summary>The rectifier that is an activation; off for <see cref="Activation.Linear"/>, null for what is no rectifier.</summary>
    public static Rectifier? Of(Activation activation) => activation switch
    {
        Activation.Linear => default(Rectifier),
        Activation.ReLU => new Rectifier(true, false),
        Activation.ReLU6 => new Rectifier(true, true),
        _ => null,
    };

    /// <summary>The bits of the activation's own kernel, where it is on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TVector>(TVector x)
        where TVector : struct, IVector<TVector> => ReluFunction.Forward(IsCapped ? Cap(x) : x);

    /// <summary>The part of ReLU6 that comes before a ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Cap<TVector>(TVector x)
        where TVector : struct, IVector<TVector> => TVector.SelectLessThanOrEqual(TVector.Broadcast(6), x, TVector.Broadcast(6), x);

    /// <summary>Leaves of dy, in place, what flows back through the rectifier that gave y: y is on its bounds where x is on them or beyond.</summary>
    public unsafe void Backward<TVector>(float* y, float* dy, nint count)
        where TVector : struct, IVector<TVector>
    {
        if (IsCapped)
            ActivationKernel.Backward<TVector, Relu6Function>(y, dy, dy, count);
        else
            ActivationKernel.Backward<TVector, ReluFunction>(y, dy, dy, count);
    }

    /// <summary>Rectifies values in place.</summary>
    public unsafe void Run<TVector>(float* values, nint count)
        where TVector : struct, IVector<TVector>
    {
        if (!IsOn)
            return;

        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            int lanes = (int)nint.Min(TVector.Lanes, count - i);
            TVector.StorePartial(values + i, Apply(TVector.LoadPartial(values + i, lanes)), lanes);
        }
    }
}
