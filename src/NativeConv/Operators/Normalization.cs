using NativeConv.Kernels;
using NativeConv.Operators;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv;

/// <summary>
/// Batch normalization on spans of NHWC values, channel by channel: y = gamma (x - mean) / √(variance + epsilon) + beta (Ioffe and Szegedy, 2015). A pixel is any
/// [channels] row, of whatever image.
/// </summary>
public static unsafe class Normalization
{
    private enum NormalizationPass
    {
        Batch,
        Given,
        Backward,
    }

    /// <summary>Normalizes by the batch's own statistics, the variance biased.</summary>
    /// <param name="channels">Channels c.</param>
    /// <param name="x">[pixels, c], at least two pixels.</param>
    /// <param name="gamma">[c].</param>
    /// <param name="beta">[c].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[pixels, c], overwritten; may be x.</param>
    /// <param name="mean">[c], overwritten with the batch's mean.</param>
    /// <param name="variance">[c], overwritten with the batch's biased variance.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there is one value a channel.</exception>
    public static void Forward(
        int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, float epsilon, Span<float> y, Span<float> mean, Span<float> variance,
        ExecutionOptions? execution = null)
    {
        int pixels = Check(channels, x, gamma, beta, y, mean, variance);
        if (pixels < 2)
            throw new ArgumentException($"The statistics of a batch need more than one value a channel, but there is {pixels}.", nameof(x));

        fixed (float* a = x, g = gamma, b = beta, to = y, m = mean, v = variance)
            Run(new(NormalizationPass.Batch, channels, pixels, epsilon) { X = a, Gamma = g, Beta = b, Result = to, Mean = m, Variance = v }, execution);
    }

    /// <summary>Normalizes by given statistics, as a trained model does.</summary>
    /// <param name="channels">Channels c.</param>
    /// <param name="x">[pixels, c].</param>
    /// <param name="gamma">[c].</param>
    /// <param name="beta">[c].</param>
    /// <param name="mean">[c].</param>
    /// <param name="variance">[c].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="y">[pixels, c], overwritten; may be x.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Inference(
        int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance, float epsilon,
        Span<float> y, ExecutionOptions? execution = null)
    {
        int pixels = Check(channels, x, gamma, beta, y, mean, variance);
        fixed (float* a = x, g = gamma, b = beta, to = y, m = mean, v = variance)
            Run(new(NormalizationPass.Given, channels, pixels, epsilon) { X = a, Gamma = g, Beta = b, Result = to, Mean = m, Variance = v }, execution);
    }

    /// <summary>Writes the loss's gradients after <see cref="Forward"/>.</summary>
    /// <param name="channels">Channels c.</param>
    /// <param name="x">What went forward, [pixels, c].</param>
    /// <param name="dy">The gradient by y, [pixels, c].</param>
    /// <param name="gamma">[c].</param>
    /// <param name="mean">[c], of the batch.</param>
    /// <param name="variance">[c], of the batch, biased.</param>
    /// <param name="epsilon">As forward.</param>
    /// <param name="dx">[pixels, c], overwritten; may be dy.</param>
    /// <param name="gammaGradient">[c], overwritten.</param>
    /// <param name="betaGradient">[c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Backward(
        int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, ReadOnlySpan<float> gamma, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance, float epsilon,
        Span<float> dx, Span<float> gammaGradient, Span<float> betaGradient, ExecutionOptions? execution = null)
    {
        int pixels = Check(channels, x, gamma, betaGradient, dx, mean, variance);
        Require.Length(dy, x.Length, nameof(dy));
        Require.Length(gammaGradient, channels, nameof(gammaGradient));
        fixed (float* a = x, d = dy, g = gamma, to = dx, m = mean, v = variance, dg = gammaGradient, db = betaGradient)
        {
            Run(
                new(NormalizationPass.Backward, channels, pixels, epsilon)
                {
                    X = a, Gradient = d, Gamma = g, Result = to, Mean = m, Variance = v, GammaGradient = dg, BetaGradient = db,
                },
                execution);
        }
    }

    private static void Run(NormalizationWork work, ExecutionOptions? execution) => SimdLevels.Dispatch<NormalizationWork, int>((execution ?? new()).Level, work);

    private static int Check(
        int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> gamma, ReadOnlySpan<float> beta, ReadOnlySpan<float> y, ReadOnlySpan<float> mean,
        ReadOnlySpan<float> variance)
    {
        Require.Positive(channels, nameof(channels));
        Require.Length(gamma, channels, nameof(gamma));
        Require.Length(beta, channels, nameof(beta));
        Require.Length(mean, channels, nameof(mean));
        Require.Length(variance, channels, nameof(variance));
        Require.Length(y, x.Length, nameof(y));
        return Require.Images(x, channels, nameof(x));
    }

    private readonly struct NormalizationWork(NormalizationPass pass, int channels, int pixels, float epsilon) : ISimdWork<int>
    {
        /// <summary>Pixels whose statistics are taken in one go: few enough for float32 sums.</summary>
        private const int Part = 1024;

        public float* X { get; init; }

        public float* Gradient { get; init; }

        public float* Gamma { get; init; }

        public float* Beta { get; init; }

        public float* Result { get; init; }

        public float* Mean { get; init; }

        public float* Variance { get; init; }

        public float* GammaGradient { get; init; }

        public float* BetaGradient { get; init; }

        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            var rows = new AlignedMemory(4L * channels);
            bool isLarge = (long)pixels * channels * sizeof(float) >= BatchNormalizationKernel.LargeBytes;
            float* scale = rows.Pointer, inverse = scale + channels, first = inverse + channels, second = first + channels;
            if (pass == NormalizationPass.Batch)
            {
                Statistics<TVector>(first, second);
                ElementwiseKernel.MultiplyAdd<TVector>(Variance, 1f / pixels, 0, Variance, channels);
            }

            BatchNormalizationKernel.InferenceCoefficients<TVector>(Variance, Gamma, epsilon, scale, inverse, channels);
            if (pass != NormalizationPass.Backward)
            {
                BatchNormalizationKernel.Normalize<TVector, LinearFunction>(X, Mean, scale, Beta, Result, pixels, channels, isLarge);
                GC.KeepAlive(rows);
                return pixels;
            }

            // Without an activation beta is not read; the scale stands in for it.
            BatchNormalizationKernel.BackwardSums<TVector, LinearFunction>(X, Gradient, Mean, inverse, scale, scale, pixels, channels, BetaGradient, GammaGradient);
            BatchNormalizationKernel.BackwardCoefficients<TVector>(BetaGradient, GammaGradient, pixels, inverse, scale, first, second, channels);
            BatchNormalizationKernel.BackwardInput<TVector, LinearFunction>(X, Gradient, Mean, scale, scale, first, second, Result, pixels, channels, isLarge);
            GC.KeepAlive(rows);
            return pixels;
        }

        /// <summary>Writes the mean and, in the variance's place, the sum of squared deviations.</summary>
        private void Statistics<TVector>(float* mean, float* squares)
            where TVector : struct, IVector<TVector>
        {
            int done = Math.Min(Part, pixels);
            BatchNormalizationKernel.Statistics<TVector>(X, done, channels, Mean, Variance);
            for (int count; done < pixels; done += count)
            {
                count = Math.Min(Part, pixels - done);
                BatchNormalizationKernel.Statistics<TVector>(X + ((nint)done * channels), count, channels, mean, squares);
                BatchNormalizationKernel.Merge<TVector>(done, Mean, Variance, count, mean, squares, channels);
            }
        }
    }
}
