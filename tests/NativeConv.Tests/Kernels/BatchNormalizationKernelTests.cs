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
