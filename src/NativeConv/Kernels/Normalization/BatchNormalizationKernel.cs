using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Batch normalization, a lane a channel. A part's statistics are its mean and the sum of squared deviations from it (m2), taken of values shifted by the part's first
/// pixel and merged by Chan's formula, so that a mean far from 0 costs no precision.
/// </summary>
internal static unsafe class BatchNormalizationKernel
{
    /// <summary>Writes the mean and m2 of x [pixels, channels].</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Statistics<TVector>(float* x, int pixels, int channels, float* mean, float* m2)
        where TVector : struct, IVector<TVector>
    {
        int channel = 0;
        for (; channel + (2 * TVector.Lanes) <= channels; channel += 2 * TVector.Lanes)
            Statistics2<TVector>(x + channel, pixels, channels, mean + channel, m2 + channel);

        for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
            Statistics1<TVector, Whole>(x + channel, pixels, channels, mean + channel, m2 + channel, TVector.Lanes);

        if (channel < channels)
            Statistics1<TVector, Partial>(x + channel, pixels, channels, mean + channel, m2 + channel, channels - channel);
    }

    /// <summary>Adds part b's statistics to part a's (Chan, Golub and LeVeque, 1979).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Merge<TVector>(long countA, float* meanA, float* m2A, long countB, float* meanB, float* m2B, int channels)
        where TVector : struct, IVector<TVector>
    {
        double count = countA + countB;
        TVector part = TVector.Broadcast((float)(countB / count)), product = TVector.Broadcast((float)(countA * (countB / count)));
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            TVector mean = TVector.LoadPartial(meanA + i, lanes), apart = TVector.LoadPartial(meanB + i, lanes) - mean;
            TVector sum = TVector.LoadPartial(m2A + i, lanes) + TVector.LoadPartial(m2B + i, lanes);
            TVector.StorePartial(meanA + i, TVector.MultiplyAdd(apart, part, mean), lanes);
            TVector.StorePartial(m2A + i, TVector.MultiplyAdd(apart * apart, product, sum), lanes);
        }
    }

    /// <summary>Writes 1 / √(m2 / count + epsilon) and gamma times it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Coefficients<TVector>(float* m2, long count, float* gamma, float epsilon, float* scale, float* inverse, int channels)
        where TVector : struct, IVector<TVector>
    {
        TVector one = TVector.Broadcast(1), divisor = TVector.Broadcast(count), floor = TVector.Broadcast(epsilon);
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            TVector deviation = one / TVector.Sqrt((TVector.LoadPartial(m2 + i, lanes) / divisor) + floor);
            TVector.StorePartial(inverse + i, deviation, lanes);
            TVector.StorePartial(scale + i, deviation * TVector.LoadPartial(gamma + i, lanes), lanes);
        }
    }

    /// <summary>As <see cref="Coefficients"/>, from a variance.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void InferenceCoefficients<TVector>(float* variance, float* gamma, float epsilon, float* scale, float* inverse, int channels)
        where TVector : struct, IVector<TVector> => Coefficients<TVector>(variance, 1, gamma, epsilon, scale, inverse, channels);

    /// <summary>Moves the running mean and the running, unbiased variance towards the batch's.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void UpdateRunning<TVector>(float* mean, float* m2, long count, float momentum, float* runningMean, float* runningVariance, int channels)
        where TVector : struct, IVector<TVector>
    {
        TVector weight = TVector.Broadcast(momentum), rest = TVector.Broadcast(1 - momentum), divisor = TVector.Broadcast(count - 1);
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            TVector variance = TVector.LoadPartial(m2 + i, lanes) / divisor;
            TVector.StorePartial(runningMean + i, TVector.MultiplyAdd(TVector.LoadPartial(mean + i, lanes), weight, TVector.LoadPartial(runningMean + i, lanes) * rest), lanes);
            TVector.StorePartial(runningVariance + i, TVector.MultiplyAdd(variance, weight, TVector.LoadPartial(runningVariance + i, lanes) * rest), lanes);
        }
    }

    /// <summary>y = (x - mean) scale + beta.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Normalize<TVector>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels)
        where TVector : struct, IVector<TVector>
    {
        int channel = 0;
        for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
            Normalize<TVector, Whole>(x + channel, mean + channel, scale + channel, beta + channel, y + channel, pixels, channels, TVector.Lanes);

        if (channel < channels)
            Normalize<TVector, Partial>(x + channel, mean + channel, scale + channel, beta + channel, y + channel, pixels, channels, channels - channel);
    }

    /// <summary>Writes Σ dy and Σ dy x̂, where x̂ = (x - mean) inverse deviation: the gradients of beta and gamma over the pixels.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardSums<TVector>(float* x, float* dy, float* mean, float* inverse, int pixels, int channels, float* sum, float* sumNormalized)
        where TVector : struct, IVector<TVector>
    {
        int channel = 0;
        for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
        {
            BackwardSums<TVector, Whole>(
                x + channel, dy + channel, mean + channel, inverse + channel, pixels, channels, sum + channel, sumNormalized + channel, TVector.Lanes);
        }

        if (channel < channels)
        {
            BackwardSums<TVector, Partial>(
                x + channel, dy + channel, mean + channel, inverse + channel, pixels, channels, sum + channel, sumNormalized + channel, channels - channel);
        }
    }

    /// <summary>dx = scale (dy - mean dy - x̂ mean(dy x̂)).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardInput<TVector>(
        float* x, float* dy, float* mean, float* inverse, float* scale, float* meanGradient, float* meanGradientNormalized, float* dx, nint pixels, int channels)
        where TVector : struct, IVector<TVector>
    {
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            // dx = dy scale + x slope + offset: three numbers a channel.
            TVector factor = TVector.LoadPartial(scale + i, lanes), deviation = TVector.LoadPartial(inverse + i, lanes);
            TVector slope = TVector.Zero - (factor * deviation * TVector.LoadPartial(meanGradientNormalized + i, lanes));
            TVector offset = TVector.Zero - (factor * TVector.LoadPartial(meanGradient + i, lanes));
            TVector centre = TVector.LoadPartial(mean + i, lanes);
            if (lanes == TVector.Lanes)
                BackwardInput<TVector, Whole>(x + i, dy + i, centre, factor, slope, offset, dx + i, pixels, channels, lanes);
            else
                BackwardInput<TVector, Partial>(x + i, dy + i, centre, factor, slope, offset, dx + i, pixels, channels, lanes);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Statistics1<TVector, TEdge>(float* x, int pixels, int channels, float* mean, float* m2, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        TVector shift = TEdge.Load<TVector>(x, count), sum = TVector.Zero, squares = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels)
        {
            TVector value = TEdge.Load<TVector>(x, count) - shift;
            sum += value;
            squares = TVector.MultiplyAdd(value, value, squares);
        }

        Finish<TVector, TEdge>(shift, sum, squares, pixels, mean, m2, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Statistics2<TVector>(float* x, int pixels, int channels, float* mean, float* m2)
        where TVector : struct, IVector<TVector>
    {
        int next = TVector.Lanes;
        TVector shift0 = TVector.Load(x), sum0 = TVector.Zero, squares0 = TVector.Zero;
        TVector shift1 = TVector.Load(x + next), sum1 = TVector.Zero, squares1 = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels)
        {
            TVector value0 = TVector.Load(x) - shift0, value1 = TVector.Load(x + next) - shift1;
            sum0 += value0;
            sum1 += value1;
            squares0 = TVector.MultiplyAdd(value0, value0, squares0);
            squares1 = TVector.MultiplyAdd(value1, value1, squares1);
        }

        Finish<TVector, Whole>(shift0, sum0, squares0, pixels, mean, m2, TVector.Lanes);
        Finish<TVector, Whole>(shift1, sum1, squares1, pixels, mean + next, m2 + next, TVector.Lanes);
    }

    /// <summary>mean = shift + sum / n; m2 = squares - sum² / n, which cancels little because the shift is one of the values.</summary>
    private static void Finish<TVector, TEdge>(TVector shift, TVector sum, TVector squares, int pixels, float* mean, float* m2, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        TVector average = sum / TVector.Broadcast(pixels);
        TVector rest = squares - (sum * average);
        TEdge.Store(mean, shift + average, count);
        TEdge.Store(m2, TVector.Select(TVector.LessThan(rest, TVector.Zero), TVector.Zero, rest), count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Normalize<TVector, TEdge>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), factor = TEdge.Load<TVector>(scale, count), offset = TEdge.Load<TVector>(beta, count);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, y += channels)
            TEdge.Store(y, TVector.MultiplyAdd(TEdge.Load<TVector>(x, count) - centre, factor, offset), count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardSums<TVector, TEdge>(
        float* x, float* dy, float* mean, float* inverse, int pixels, int channels, float* sum, float* sumNormalized, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), total = TVector.Zero, product = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels)
        {
            TVector gradient = TEdge.Load<TVector>(dy, count);
            total += gradient;
            product = TVector.MultiplyAdd(gradient, TEdge.Load<TVector>(x, count) - centre, product);
        }

        TEdge.Store(sum, total, count);
        TEdge.Store(sumNormalized, product * TEdge.Load<TVector>(inverse, count), count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardInput<TVector, TEdge>(
        float* x, float* dy, TVector centre, TVector factor, TVector slope, TVector offset, float* dx, nint pixels, int channels, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels, dx += channels)
        {
            TVector shifted = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count) - centre, slope, offset);
            TEdge.Store(dx, TVector.MultiplyAdd(TEdge.Load<TVector>(dy, count), factor, shifted), count);
        }
    }
}
