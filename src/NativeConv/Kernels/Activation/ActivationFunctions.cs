using System.Runtime.CompilerServices;
using NativeConv.Numerics;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <inheritdoc cref="Activation.Linear"/>
internal readonly struct LinearFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        dy;
}

/// <inheritdoc cref="Activation.ReLU"/>
internal readonly struct ReluFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, TVector.Zero, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, TVector.Zero, dy);
}

/// <inheritdoc cref="Activation.ReLU6"/>
internal readonly struct Relu6Function : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        ReluFunction.Forward(Rectifier.Cap(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        ReluFunction.Backward(x, TVector.SelectLessThanOrEqual(TVector.Broadcast(6), x, TVector.Zero, dy));
}

/// <inheritdoc cref="Activation.LeakyReLU"/>
internal readonly struct LeakyReluFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, x * TVector.Broadcast(0.01f), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, dy * TVector.Broadcast(0.01f), dy);
}

/// <inheritdoc cref="Activation.Elu"/>
internal readonly struct EluFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, VectorFunctions.ExpMinusOne(x), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        TVector.SelectLessThanOrEqual(x, TVector.Zero, dy * VectorFunctions.Exp(x), dy);
}

/// <inheritdoc cref="Activation.Sigmoid"/>
internal readonly struct SigmoidFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        VectorFunctions.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>
    {
        TVector s = VectorFunctions.Sigmoid(x);
        return dy * (s * (TVector.Broadcast(1) - s));
    }
}

/// <inheritdoc cref="Activation.Tanh"/>
internal readonly struct TanhFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        VectorFunctions.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>
    {
        TVector t = VectorFunctions.Tanh(x);
        return dy * (TVector.Broadcast(1) - (t * t));
    }
}

/// <inheritdoc cref="Activation.SiLU"/>
internal readonly struct SiluFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        x * VectorFunctions.Sigmoid(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>
    {
        TVector one = TVector.Broadcast(1), s = VectorFunctions.Sigmoid(x);
        return dy * (s * TVector.MultiplyAdd(x, one - s, one));
    }
}

/// <inheritdoc cref="Activation.HardSigmoid"/>
internal readonly struct HardSigmoidFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        Relu6Function.Forward(x + TVector.Broadcast(3)) / TVector.Broadcast(6);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector> =>
        Relu6Function.Backward(x + TVector.Broadcast(3), dy / TVector.Broadcast(6));
}

/// <inheritdoc cref="Activation.HardSwish"/>
internal readonly struct HardSwishFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        x * HardSigmoidFunction.Forward(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>
    {
        TVector three = TVector.Broadcast(3);
        TVector slope = (x / three) + TVector.Broadcast(0.5f);
        TVector inside = TVector.Select(TVector.LessThan(three, x), dy, dy * slope);
        return TVector.Select(TVector.LessThan(x, TVector.Zero - three), TVector.Zero, inside);
    }
}

/// <inheritdoc cref="Activation.Gelu"/>
internal readonly struct GeluFunction : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TVector>(TVector x)
        where TVector : struct, IVector<TVector> =>
        x * VectorFunctions.NormalCumulative(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TVector>(TVector x, TVector dy)
        where TVector : struct, IVector<TVector>
    {
        TVector cumulative = VectorFunctions.NormalCumulative(x, out TVector density);
        return dy * TVector.MultiplyAdd(x, density, cumulative);
    }
}
