using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Batch normalization, a lane a channel. A part's statistics are its mean and the sum of squared deviations from it (m2), taken of values shifted by the part's first
/// pixel and merged by Chan's formula, so that a mean far from 0 costs no precision. An activation that follows is applied in the same sweep, and its gradient from
/// the normalized value worked out again.
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

    /// <summary>y = f((x - mean) scale + beta), with an activation f.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Normalize<TVector, TActivation>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        int channel = 0;
        for (; channel + (2 * TVector.Lanes) <= channels; channel += 2 * TVector.Lanes)
            NormalizePair<TVector, TActivation>(x + channel, mean + channel, scale + channel, beta + channel, y + channel, pixels, channels);

        for (; channel < channels; channel += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - channel);
            if (lanes == TVector.Lanes)
                Normalize<TVector, TActivation, Whole>(x + channel, mean + channel, scale + channel, beta + channel, y + channel, pixels, channels, lanes);
            else
                Normalize<TVector, TActivation, Partial>(x + channel, mean + channel, scale + channel, beta + channel, y + channel, pixels, channels, lanes);
        }
    }

    /// <summary>
    /// Writes Σ dz and Σ dz x̂, the gradients of beta and gamma over the pixels, where x̂ = (x - mean) inverse deviation and dz = dy f'((x - mean) scale + beta).
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardSums<TVector, TActivation>(
        float* x, float* dy, float* mean, float* inverse, float* scale, float* beta, int pixels, int channels, float* sum, float* sumNormalized)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            if (lanes == TVector.Lanes)
                BackwardSums<TVector, TActivation, Whole>(x + i, dy + i, mean + i, inverse + i, scale + i, beta + i, pixels, channels, sum + i, sumNormalized + i, lanes);
            else
                BackwardSums<TVector, TActivation, Partial>(x + i, dy + i, mean + i, inverse + i, scale + i, beta + i, pixels, channels, sum + i, sumNormalized + i, lanes);
        }
    }

    /// <summary>dx = scale (dz - mean dz - x̂ mean(dz x̂)), with dz as in <see cref="BackwardSums{TVector, TActivation}"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardInput<TVector, TActivation>(
        float* x, float* dy, float* mean, float* inverse, float* scale, float* beta, float* meanGradient, float* meanGradientNormalized, float* dx, nint pixels, int channels)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            // dx = dz scale + (x - mean) slope + offset: three numbers a channel.
            TVector factor = TVector.LoadPartial(scale + i, lanes), deviation = TVector.LoadPartial(inverse + i, lanes);
            TVector slope = TVector.Zero - (factor * deviation * TVector.LoadPartial(meanGradientNormalized + i, lanes));
            TVector offset = TVector.Zero - (factor * TVector.LoadPartial(meanGradient + i, lanes));
            if (lanes == TVector.Lanes)
                BackwardInput<TVector, TActivation, Whole>(x + i, dy + i, mean + i, scale + i, beta + i, slope, offset, dx + i, pixels, channels, lanes);
            else
                BackwardInput<TVector, TActivation, Partial>(x + i, dy + i, mean + i, scale + i, beta + i, slope, offset, dx + i, pixels, channels, lanes);
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
    private static void Normalize<TVector, TActivation, TEdge>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), factor = TEdge.Load<TVector>(scale, count), offset = TEdge.Load<TVector>(beta, count);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, y += channels)
            TEdge.Store(y, TActivation.Forward(TVector.MultiplyAdd(TEdge.Load<TVector>(x, count) - centre, factor, offset)), count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NormalizePair<TVector, TActivation>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        int next = TVector.Lanes;
        TVector centre0 = TVector.Load(mean), factor0 = TVector.Load(scale), offset0 = TVector.Load(beta);
        TVector centre1 = TVector.Load(mean + next), factor1 = TVector.Load(scale + next), offset1 = TVector.Load(beta + next);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, y += channels)
        {
            TVector.Store(y, TActivation.Forward(TVector.MultiplyAdd(TVector.Load(x) - centre0, factor0, offset0)));
            TVector.Store(y + next, TActivation.Forward(TVector.MultiplyAdd(TVector.Load(x + next) - centre1, factor1, offset1)));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardSums<TVector, TActivation, TEdge>(
        float* x, float* dy, float* mean, float* inverse, float* scale, float* beta, int pixels, int channels, float* sum, float* sumNormalized, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), factor = TEdge.Load<TVector>(scale, count), offset = TEdge.Load<TVector>(beta, count);
        TVector total = TVector.Zero, product = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels)
        {
            TVector deviation = TEdge.Load<TVector>(x, count) - centre;
            TVector gradient = TActivation.Backward(TVector.MultiplyAdd(deviation, factor, offset), TEdge.Load<TVector>(dy, count));
            total += gradient;
            product = TVector.MultiplyAdd(gradient, deviation, product);
        }

        TEdge.Store(sum, total, count);
        TEdge.Store(sumNormalized, product * TEdge.Load<TVector>(inverse, count), count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardInput<TVector, TActivation, TEdge>(
        float* x, float* dy, float* mean, float* scale, float* beta, TVector slope, TVector offset, float* dx, nint pixels, int channels, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), factor = TEdge.Load<TVector>(scale, count), shift = TEdge.Load<TVector>(beta, count);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels, dx += channels)
        {
            TVector deviation = TEdge.Load<TVector>(x, count) - centre;
            TVector gradient = TActivation.Backward(TVector.MultiplyAdd(deviation, factor, shift), TEdge.Load<TVector>(dy, count));
            TEdge.Store(dx, TVector.MultiplyAdd(gradient, factor, TVector.MultiplyAdd(deviation, slope, offset)), count);
        }
    }
}
