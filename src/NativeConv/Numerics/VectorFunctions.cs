using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Numerics;

/// <summary>
/// Functions of a vector's lanes with the same bits at every width: argument reduction and polynomials in fused multiply-adds. NaN gives NaN. Errors are a few
/// units in the last place; <c>VectorFunctionsTests</c> holds the bounds.
/// </summary>
internal static class VectorFunctions
{
    /// <summary>e^x; 0 far below, infinity above 88.7. Subnormal results are rounded twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp<TVector>(TVector x)
        where TVector : struct, IVector<TVector>
    {
        TVector fraction = Reduce(Clamp(x, -104f, 90f), out TVector n);
        TVector half = TVector.Round(n * TVector.Broadcast(0.5f));
        return (TVector.Broadcast(1) + fraction) * TVector.PowerOfTwo(half) * TVector.PowerOfTwo(n - half);
    }

    /// <summary>e^x - 1 without cancellation near 0, for x up to 87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector ExpMinusOne<TVector>(TVector x)
        where TVector : struct, IVector<TVector>
    {
        TVector fraction = Reduce(Clamp(x, -40f, 87f), out TVector n);
        TVector power = TVector.PowerOfTwo(n);
        return TVector.MultiplyAdd(power, fraction, power - TVector.Broadcast(1));
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<TVector>(TVector x)
        where TVector : struct, IVector<TVector> => TVector.Broadcast(1) / (TVector.Broadcast(1) + Exp(TVector.Zero - x));

    /// <summary>The hyperbolic tangent: with m = e^2|x| - 1 it is m / (m + 2) and x's sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<TVector>(TVector x)
        where TVector : struct, IVector<TVector>
    {
        TVector magnitude = TVector.Abs(x);
        TVector m = ExpMinusOne(Clamp(magnitude + magnitude, 0f, 40f));
        return TVector.CopySign(m / (m + TVector.Broadcast(2)), x);
    }

    /// <summary>
    /// The normal distribution's density and cumulative probability. The tail is the density times a polynomial in 1 / (1 + 0.4 |x| / √2), fitted to the scaled
    /// complementary error function at Chebyshev nodes.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalCumulative<TVector>(TVector x, out TVector density)
        where TVector : struct, IVector<TVector>
    {
        TVector one = TVector.Broadcast(1);
        TVector bell = Exp(x * x * TVector.Broadcast(-0.5f));
        TVector t = one / TVector.MultiplyAdd(TVector.Abs(x), TVector.Broadcast(0.282842712f), one);
        TVector p = TVector.Broadcast(-0.0211335626f);
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.135712596f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(-0.342613209f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.410103733f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(-0.26931448f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.214781961f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.0320621246f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.116500262f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.110896084f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(0.113011343f));
        p = TVector.MultiplyAdd(p, t, TVector.Broadcast(-6.85176742e-06f));
        TVector tail = p * bell;
        density = bell * TVector.Broadcast(0.398942280f);
        return TVector.Select(TVector.LessThan(x, TVector.Zero), tail, one - tail);
    }

    /// <summary>Bounds the value; NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Clamp<TVector>(TVector x, float least, float most)
        where TVector : struct, IVector<TVector>
    {
        TVector low = TVector.Broadcast(least), high = TVector.Broadcast(most);
        x = TVector.Select(TVector.LessThan(x, low), low, x);
        return TVector.Select(TVector.LessThan(high, x), high, x);
    }

    /// <summary>Splits x = n ln 2 + r with |r| at most ln 2 / 2, ln 2 in two parts (Cody and Waite), and gives e^r - 1 by its series.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Reduce<TVector>(TVector x, out TVector n)
        where TVector : struct, IVector<TVector>
    {
        n = TVector.Round(x * TVector.Broadcast(1.44269504f));
        TVector r = TVector.MultiplyAdd(n, TVector.Broadcast(-0.693359375f), x);
        r = TVector.MultiplyAdd(n, TVector.Broadcast(2.12194440e-4f), r);
        TVector q = TVector.Broadcast(1f / 5040);
        q = TVector.MultiplyAdd(q, r, TVector.Broadcast(1f / 720));
        q = TVector.MultiplyAdd(q, r, TVector.Broadcast(1f / 120));
        q = TVector.MultiplyAdd(q, r, TVector.Broadcast(1f / 24));
        q = TVector.MultiplyAdd(q, r, TVector.Broadcast(1f / 6));
        q = TVector.MultiplyAdd(q, r, TVector.Broadcast(0.5f));
        return TVector.MultiplyAdd(q * r, r, r);
    }
}
