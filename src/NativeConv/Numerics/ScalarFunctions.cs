namespace NativeConv.Numerics;

/// <summary>
/// Exponential, logarithm, power, sine and cosine in double precision, made of correctly rounded operations alone, so that every
/// machine gives the same bits (what the platform offers under these names comes from its own library).
/// Relative errors stay below 1e-15.
/// </summary>
internal static class ScalarFunctions
{
    // ln 2 = high + low; the high part ends in zeros, so that its product with an exponent is exact.
    private const double Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10, InverseLn2 = 1.4426950408889634;

    // pi / 2 in three parts of 53 bits.
    private const double HalfPi0 = 1.5707963267948966, HalfPi1 = 6.123233995736766e-17, HalfPi2 = -1.4973849048591833e-33;

    // Taylor coefficients of degree 2 to 13: on |r| <= ln 2 / 2 the next term is below 1e-17.
    private static ReadOnlySpan<double> ExpTail =>
    [
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
        1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2,
    ];

    // 1/23, 1/21 ... 1/3 of the series of artanh: s squared is at most 0.0295.
    private static ReadOnlySpan<double> LogTail =>
        [1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3];

    private static ReadOnlySpan<double> SinTail =>
    [
        1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6,
    ];

    private static ReadOnlySpan<double> CosTail =>
    [
        -1.0 / 6402373705728000, 1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320,
        -1.0 / 720, 1.0 / 24,
    ];

    /// <summary>e to the power <paramref name="x"/>; 0 and infinity beyond the range of a double.</summary>
    public static double Exp(double x) => Exp(x, 0);

    /// <summary>The natural logarithm; minus infinity at 0, NaN below.</summary>
    public static double Log(double x)
    {
        (double high, double low) = LogParts(x);
        return high + low;
    }

    /// <summary><paramref name="x"/> to the power <paramref name="y"/>, for x of 0 and above.</summary>
    public static double Pow(double x, double y)
    {
        if (y == 0 || x == 1)
            return 1;

        // The logarithm carries twice a double's bits here, for its error is multiplied by y.
        (double high, double low) = LogParts(x);
        double product = high * y;
        return double.IsFinite(product) ? Exp(product, Math.FusedMultiplyAdd(high, y, -product) + low * y) : Exp(product, 0);
    }

    /// <summary>The sine of <paramref name="x"/> radians, |x| up to a million.</summary>
    public static double Sin(double x)
    {
        (double r, int quadrant) = ReduceByHalfPi(x);
        double value = (quadrant & 1) == 0 ? SinOfReduced(r) : CosOfReduced(r);
        return (quadrant & 2) == 0 ? value : -value;
    }

    /// <summary>The cosine of <paramref name="x"/> radians, |x| up to a million.</summary>
    public static double Cos(double x)
    {
        (double r, int quadrant) = ReduceByHalfPi(x);
        double value = (quadrant & 1) == 0 ? CosOfReduced(r) : SinOfReduced(r);
        return ((quadrant + 1) & 2) == 0 ? value : -value;
    }

    /// <summary>exp(x + tail), where the tail is below the last place of x.</summary>
    private static double Exp(double x, double tail)
    {
        if (double.IsNaN(x) || x > 710)
            return x > 710 ? double.PositiveInfinity : x;
        if (x < -746)
            return 0;

        double k = Math.Round(x * InverseLn2);
        double r = Math.FusedMultiplyAdd(k, -Ln2High, x);
        double low = Math.FusedMultiplyAdd(k, -Ln2Low, tail);
        double sum = r + low;
        low -= sum - r;
        double value = 1 + (sum + Math.FusedMultiplyAdd(sum * sum, Polynomial(sum, ExpTail), low));

        // Two factors: 2^k alone may be out of range where the result is not.
        int half = (int)k / 2;
        return value * PowerOfTwo(half) * PowerOfTwo((int)k - half);
    }

    private static double PowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);

    /// <summary>ln x as an unevaluated sum: x = m 2^e with m around 1, ln m = 2 artanh((m - 1) / (m + 1)).</summary>
    private static (double High, double Low) LogParts(double x)
    {
        if (!(x > 0) || double.IsPositiveInfinity(x))
            return (x == 0 ? double.NegativeInfinity : x > 0 ? x : double.NaN, 0);

        const double TwoTo54 = 18014398509481984;
        int exponent = 0;
        if (!double.IsNormal(x))
            (x, exponent) = (x * TwoTo54, -54);

        const long HalfRootBits = 0x3FE6A09E667F3BCD;
        long bits = BitConverter.DoubleToInt64Bits(x);
        long shift = (bits - HalfRootBits) >> 52;
        exponent += (int)shift;
        double f = BitConverter.Int64BitsToDouble(bits - (shift << 52)) - 1;

        double divisor = 2 + f, lost = f - (divisor - 2);
        double s = f / divisor;
        double rest = (Math.FusedMultiplyAdd(-s, divisor, f) - s * lost) / divisor;
        double square = s * s;
        double tail = 2 * (rest + s * square * Polynomial(square, LogTail)) + exponent * Ln2Low;

        double big = exponent * Ln2High, high = big + 2 * s;
        tail += big == 0 ? 0 : 2 * s - (high - big);
        double sum = high + tail;
        return (sum, tail - (sum - high));
    }

    /// <summary>x less its nearest multiple of pi / 2, and which multiple that is.</summary>
    private static (double Remainder, int Quadrant) ReduceByHalfPi(double x)
    {
        double k = Math.Round(x * (2 / Math.PI));
        double r = Math.FusedMultiplyAdd(-k, HalfPi2, Math.FusedMultiplyAdd(-k, HalfPi1, Math.FusedMultiplyAdd(-k, HalfPi0, x)));
        return (r, (int)((long)k & 3));
    }

    private static double SinOfReduced(double r)
    {
        double square = r * r;
        return Math.FusedMultiplyAdd(r * square, Polynomial(square, SinTail), r);
    }

    private static double CosOfReduced(double r)
    {
        double square = r * r, half = 0.5 * square, main = 1 - half;
        return main + Math.FusedMultiplyAdd(square * square, Polynomial(square, CosTail), 1 - main - half);
    }

    /// <summary>Horner's rule, highest power first.</summary>
    private static double Polynomial(double x, ReadOnlySpan<double> coefficients)
    {
        double sum = coefficients[0];
        for (int i = 1; i < coefficients.Length; i++)
            sum = Math.FusedMultiplyAdd(sum, x, coefficients[i]);

        return sum;
    }
}
