using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

public sealed unsafe class BatchNormalizationKernelTests
{
    private const int Pixels = 23;

    public static TheoryData<Activation, int, SimdLevel> Cases
    {
        get
        {
            var data = new TheoryData<Activation, int, SimdLevel>();
            foreach (Activation function in Enum.GetValues<Activation>())
            {
                foreach (int channels in (int[])[1, 7, 16, 33, 64])
                {
                    foreach (SimdLevel level in SimdLevels.Callable)
                        data.Add(function, channels, level);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void FusedActivation_ForwardAndBackward_GivesTheBitsOfTwoSweeps(Activation function, int channels, SimdLevel level)
    {
        float[][] fused = SimdLevels.Dispatch<Work, float[][]>(level, new(function, channels, Fused: true));
        float[][] apart = SimdLevels.Dispatch<Work, float[][]>(level, new(function, channels, Fused: false));
        for (int i = 0; i < fused.Length; i++)
            fused[i].AsSpan().SequenceEqual(apart[i]).Should().BeTrue("result {0} should be the same", i);
    }

    public static TheoryData<SimdLevel> Levels => [.. SimdLevels.Callable];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Merge_PartsOfUnequalSizes_GiveTheWholesStatistics(SimdLevel level)
    {
        // The second part lies elsewhere, so that the distance of the means is most of the variance.
        foreach ((int first, int second) in ((int, int)[])[(1, 1), (1, 6), (40, 3), (3, 40), (17, 17)])
        {
            const int Channels = 21;
            float[] x = [.. TestData.Uniform(first * Channels, 1), .. TestData.Uniform(second * Channels, 2, 4, 6)];
            float[] actual = SimdLevels.Dispatch<Merging, float[]>(level, new(x, first, second, Channels));
            (double[] means, double[] variances) = LayerOracle.Moments(TestData.ToDouble(x), Channels);
            for (int c = 0; c < Channels; c++)
            {
                actual[c].Should().BeApproximately((float)means[c], 1e-5f, "{0} and {1} pixels", first, second);
                (actual[Channels + c] / (first + second)).Should().BeApproximately((float)variances[c], 1e-5f, "{0} and {1} pixels", first, second);
            }
        }
    }

    /// <summary>Gives the merged means, then the merged sums of squared deviations.</summary>
    private readonly record struct Merging(float[] X, int First, int Second, int Channels) : ISimdWork<float[]>
    {
        public float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            using GuardedMemory x = new(X, Guard.After), mean = new(Channels, Guard.After), m2 = new(Channels, Guard.After), otherMean = new(Channels, Guard.After), otherM2 = new(Channels, Guard.After);
            BatchNormalizationKernel.Statistics<TVector>(x.Pointer, First, Channels, mean.Pointer, m2.Pointer);
            BatchNormalizationKernel.Statistics<TVector>(x.Pointer + (First * Channels), Second, Channels, otherMean.Pointer, otherM2.Pointer);
            BatchNormalizationKernel.Merge<TVector>(First, mean.Pointer, m2.Pointer, Second, otherMean.Pointer, otherM2.Pointer, Channels);
            return [.. mean.Span, .. m2.Span];
        }
    }

    private readonly record struct Work(Activation Function, int Channels, bool Fused) : ISimdWork<float[][]>
    {
        public float[][] Run<TVector>()
            where TVector : struct, IVector<TVector> => ActivationDispatch.Run<Bound<TVector>, float[][]>(Function, new(Channels, Fused));
    }

    private readonly struct Bound<TVector>(int channels, bool fused) : IActivationWork<float[][]>
        where TVector : struct, IVector<TVector>
    {
        public float[][] Run<TActivation>()
            where TActivation : struct, IActivation
        {
            int length = Pixels * channels, width = channels;
            using GuardedMemory x = new(TestData.Uniform(length, 1), Guard.After), dy = new(TestData.Uniform(length, 2), Guard.After);
            using GuardedMemory mean = Row(3), inverse = Row(4), scale = Row(5), beta = Row(6), g = Row(7), h = Row(8), sum = Row(9), sumNormalized = Row(10);
            using GuardedMemory y = new(length, Guard.After), z = new(length, Guard.After), dz = new(length, Guard.Before), dx = new(length, Guard.Before);
            if (fused)
            {
                BatchNormalizationKernel.Normalize<TVector, TActivation>(x.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, y.Pointer, Pixels, channels);
                Backward<TActivation>(dy.Pointer);
            }
            else
            {
                BatchNormalizationKernel.Normalize<TVector, LinearFunction>(x.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, z.Pointer, Pixels, channels);
                ActivationKernel.Forward<TVector, TActivation>(z.Pointer, y.Pointer, length);
                ActivationKernel.Backward<TVector, TActivation>(z.Pointer, dy.Pointer, dz.Pointer, length);
                Backward<LinearFunction>(dz.Pointer);
            }

            return [y.Span.ToArray(), sum.Span.ToArray(), sumNormalized.Span.ToArray(), dx.Span.ToArray()];

            void Backward<TApplied>(float* gradient)
                where TApplied : struct, IActivation
            {
                BatchNormalizationKernel.BackwardSums<TVector, TApplied>(
                    x.Pointer, gradient, mean.Pointer, inverse.Pointer, scale.Pointer, beta.Pointer, Pixels, width, sum.Pointer, sumNormalized.Pointer);
                BatchNormalizationKernel.BackwardInput<TVector, TApplied>(
                    x.Pointer, gradient, mean.Pointer, scale.Pointer, beta.Pointer, g.Pointer, h.Pointer, dx.Pointer, Pixels, width);
            }
        }

        private GuardedMemory Row(ulong seed) => new(TestData.Uniform(channels, seed), Guard.After);
    }
}
