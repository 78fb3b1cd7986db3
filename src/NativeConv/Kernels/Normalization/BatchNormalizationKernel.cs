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
    /// <summary>How far ahead values that come from memory are asked for: across the ends of pages, where hardware stops to look ahead.</summary>
    private const int AheadFloats = 2048;

    /// <summary>Of a tensor from this size on, nothing is left in a core's own caches after a sweep over it.</summary>
    public const int LargeBytes = 2 * 1024 * 1024;

    /// <summary>Writes the mean and m2 of x [pixels, channels].</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Statistics<TVector>(float* x, int pixels, int channels, float* mean, float* m2)
        where TVector : struct, IVector<TVector>
    {
        int channel = 0;
        for (; channel + (4 * TVector.Lanes) <= channels; channel += 4 * TVector.Lanes)
            Statistics4<TVector>(x + channel, pixels, channels, mean + channel, m2 + channel);

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

    /// <summary>y = f((x - mean) scale + beta), with an activation f. <paramref name="isFromMemory"/> says that x is in no cache of the core, nor is what follows it, which is read next.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Normalize<TVector, TActivation>(float* x, float* mean, float* scale, float* beta, float* y, nint pixels, int channels, bool isFromMemory = false)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        // Pixels outermost: memory is walked once, in order, and the channels' numbers come from the first cache.
        int whole = channels / TVector.Lanes * TVector.Lanes, rest = channels - whole, ahead = Ahead(channels, isFromMemory);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, y += channels)
        {
            Prefetch.ToSecondLevel(x + AheadFloats, ahead);
            int i = 0;
            for (; i < whole; i += TVector.Lanes)
                TVector.Store(y + i, Normalized<TVector, TActivation, Whole>(x + i, mean + i, scale + i, beta + i, 0));

            if (rest > 0)
                TVector.StorePartial(y + i, Normalized<TVector, TActivation, Partial>(x + i, mean + i, scale + i, beta + i, rest), rest);
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
        int i = 0;
        for (; i + (4 * TVector.Lanes) <= channels; i += 4 * TVector.Lanes)
            BackwardSums4<TVector, TActivation>(x + i, dy + i, mean + i, inverse + i, scale + i, beta + i, pixels, channels, sum + i, sumNormalized + i);

        for (; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            if (lanes == TVector.Lanes)
                BackwardSums<TVector, TActivation, Whole>(x + i, dy + i, mean + i, inverse + i, scale + i, beta + i, pixels, channels, sum + i, sumNormalized + i, lanes);
            else
                BackwardSums<TVector, TActivation, Partial>(x + i, dy + i, mean + i, inverse + i, scale + i, beta + i, pixels, channels, sum + i, sumNormalized + i, lanes);
        }
    }

    /// <summary>
    /// dx = scale (dz - mean dz - x̂ mean(dz x̂)), with dz as in <see cref="BackwardSums{TVector, TActivation}"/>, written as dz scale + (x - mean) slope + offset: slope and
    /// offset are worked out in the two means' places. x and dy may come from memory, as in <see cref="Normalize"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardInput<TVector, TActivation>(
        float* x, float* dy, float* mean, float* scale, float* beta, float* slope, float* offset, float* dx, nint pixels, int channels, bool isFromMemory = false)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        int whole = channels / TVector.Lanes * TVector.Lanes, rest = channels - whole, ahead = Ahead(channels, isFromMemory);
        for (nint pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels, dx += channels)
        {
            Prefetch.ToSecondLevel(x + AheadFloats, ahead);
            Prefetch.ToSecondLevel(dy + AheadFloats, ahead);
            int i = 0;
            for (; i < whole; i += TVector.Lanes)
                TVector.Store(dx + i, InputGradient<TVector, TActivation, Whole>(x + i, dy + i, mean + i, scale + i, beta + i, slope + i, offset + i, 0));

            if (rest > 0)
                TVector.StorePartial(dx + i, InputGradient<TVector, TActivation, Partial>(x + i, dy + i, mean + i, scale + i, beta + i, slope + i, offset + i, rest), rest);
        }
    }

    /// <summary>What a pixel asks for of the one so far ahead: nothing where several share a line of the cache, for each would ask for it anew.</summary>
    public static int Ahead(int channels, bool isFromMemory) => isFromMemory && channels >= Prefetch.LineFloats ? channels : 0;

    /// <summary>The slope and offset of <see cref="BackwardInput{TVector, TActivation}"/> from the sums over all pixels.</summary>
    public static void BackwardCoefficients<TVector>(float* sum, float* sumNormalized, long count, float* inverse, float* scale, float* slope, float* offset, int channels)
        where TVector : struct, IVector<TVector>
    {
        TVector divisor = TVector.Broadcast(count);
        for (int i = 0; i < channels; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, channels - i);
            TVector factor = TVector.LoadPartial(scale + i, lanes), deviation = TVector.LoadPartial(inverse + i, lanes);
            TVector normalized = TVector.LoadPartial(sumNormalized + i, lanes) / divisor, gradient = TVector.LoadPartial(sum + i, lanes) / divisor;
            TVector.StorePartial(slope + i, TVector.Zero - (factor * deviation * normalized), lanes);
            TVector.StorePartial(offset + i, TVector.Zero - (factor * gradient), lanes);
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
    private static void Statistics4<TVector>(float* x, int pixels, int channels, float* mean, float* m2)
        where TVector : struct, IVector<TVector>
    {
        int a = TVector.Lanes, b = 2 * TVector.Lanes, c = 3 * TVector.Lanes;
        TVector shift0 = TVector.Load(x), shift1 = TVector.Load(x + a), shift2 = TVector.Load(x + b), shift3 = TVector.Load(x + c);
        TVector sum0 = TVector.Zero, sum1 = TVector.Zero, sum2 = TVector.Zero, sum3 = TVector.Zero;
        TVector squares0 = TVector.Zero, squares1 = TVector.Zero, squares2 = TVector.Zero, squares3 = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels)
        {
            TVector value0 = TVector.Load(x) - shift0, value1 = TVector.Load(x + a) - shift1;
            TVector value2 = TVector.Load(x + b) - shift2, value3 = TVector.Load(x + c) - shift3;
            sum0 += value0;
            sum1 += value1;
            sum2 += value2;
            sum3 += value3;
            squares0 = TVector.MultiplyAdd(value0, value0, squares0);
            squares1 = TVector.MultiplyAdd(value1, value1, squares1);
            squares2 = TVector.MultiplyAdd(value2, value2, squares2);
            squares3 = TVector.MultiplyAdd(value3, value3, squares3);
        }

        Finish<TVector, Whole>(shift0, sum0, squares0, pixels, mean, m2, TVector.Lanes);
        Finish<TVector, Whole>(shift1, sum1, squares1, pixels, mean + a, m2 + a, TVector.Lanes);
        Finish<TVector, Whole>(shift2, sum2, squares2, pixels, mean + b, m2 + b, TVector.Lanes);
        Finish<TVector, Whole>(shift3, sum3, squares3, pixels, mean + c, m2 + c, TVector.Lanes);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Normalized<TVector, TActivation, TEdge>(float* x, float* mean, float* scale, float* beta, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge =>
        TActivation.Forward(TVector.MultiplyAdd(
            TEdge.Load<TVector>(x, count) - TEdge.Load<TVector>(mean, count), TEdge.Load<TVector>(scale, count), TEdge.Load<TVector>(beta, count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector InputGradient<TVector, TActivation, TEdge>(
        float* x, float* dy, float* mean, float* scale, float* beta, float* slope, float* offset, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge => InputGradient<TVector, TActivation>(
            TEdge.Load<TVector>(x, count) - TEdge.Load<TVector>(mean, count), TEdge.Load<TVector>(dy, count), TEdge.Load<TVector>(scale, count), TEdge.Load<TVector>(beta, count),
            TEdge.Load<TVector>(slope, count), TEdge.Load<TVector>(offset, count));

    /// <summary>dx of <see cref="BackwardInput{TVector, TActivation}"/> from x - mean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector InputGradient<TVector, TActivation>(TVector deviation, TVector dy, TVector scale, TVector beta, TVector slope, TVector offset)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation =>
        TVector.MultiplyAdd(TActivation.Backward(TVector.MultiplyAdd(deviation, scale, beta), dy), scale, TVector.MultiplyAdd(deviation, slope, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Gradient<TVector, TActivation>(float* x, float* dy, TVector centre, float* scale, float* beta, out TVector deviation)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        deviation = TVector.Load(x) - centre;
        return TActivation.Backward(TVector.MultiplyAdd(deviation, TVector.Load(scale), TVector.Load(beta)), TVector.Load(dy));
    }

    /// <summary>Four vectors of channels: eight sums and four means in registers, the rest from the first cache.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardSums4<TVector, TActivation>(
        float* x, float* dy, float* mean, float* inverse, float* scale, float* beta, int pixels, int channels, float* sum, float* sumNormalized)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        int a = TVector.Lanes, b = 2 * TVector.Lanes, c = 3 * TVector.Lanes;
        TVector mean0 = TVector.Load(mean), mean1 = TVector.Load(mean + a), mean2 = TVector.Load(mean + b), mean3 = TVector.Load(mean + c);
        TVector sum0 = TVector.Zero, sum1 = TVector.Zero, sum2 = TVector.Zero, sum3 = TVector.Zero;
        TVector product0 = TVector.Zero, product1 = TVector.Zero, product2 = TVector.Zero, product3 = TVector.Zero;
        for (int pixel = 0; pixel < pixels; pixel++, x += channels, dy += channels)
        {
            TVector g0 = Gradient<TVector, TActivation>(x, dy, mean0, scale, beta, out TVector d0);
            sum0 += g0;
            product0 = TVector.MultiplyAdd(g0, d0, product0);
            TVector g1 = Gradient<TVector, TActivation>(x + a, dy + a, mean1, scale + a, beta + a, out TVector d1);
            sum1 += g1;
            product1 = TVector.MultiplyAdd(g1, d1, product1);
            TVector g2 = Gradient<TVector, TActivation>(x + b, dy + b, mean2, scale + b, beta + b, out TVector d2);
            sum2 += g2;
            product2 = TVector.MultiplyAdd(g2, d2, product2);
            TVector g3 = Gradient<TVector, TActivation>(x + c, dy + c, mean3, scale + c, beta + c, out TVector d3);
            sum3 += g3;
            product3 = TVector.MultiplyAdd(g3, d3, product3);
        }

        TVector.Store(sum, sum0);
        TVector.Store(sum + a, sum1);
        TVector.Store(sum + b, sum2);
        TVector.Store(sum + c, sum3);
        TVector.Store(sumNormalized, product0 * TVector.Load(inverse));
        TVector.Store(sumNormalized + a, product1 * TVector.Load(inverse + a));
        TVector.Store(sumNormalized + b, product2 * TVector.Load(inverse + b));
        TVector.Store(sumNormalized + c, product3 * TVector.Load(inverse + c));
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
}
