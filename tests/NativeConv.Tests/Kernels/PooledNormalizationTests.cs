using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>Pooling before normalization against after it.</summary>
public sealed unsafe class PooledNormalizationTests
{
    private const int Images = 2, Height = 6, Width = 10;

    private static readonly Conv2DGeometry Windows = new(Height, Width, 2, 2, 1, Padding.Valid);

    public static TheoryData<Activation, SimdLevel> Cases
    {
        get
        {
            var data = new TheoryData<Activation, SimdLevel>();
            foreach (Activation function in (Activation[])[Activation.Linear, Activation.ReLU, Activation.ReLU6])
            {
                foreach (SimdLevel level in SimdLevels.Callable)
                    data.Add(function, level);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Pooling_BeforeNormalization_GivesTheBitsOfPoolingBehindIt(Activation function, SimdLevel level)
    {
        foreach (int channels in (int[])[1, 7, 16, 35, 64])
        {
            float[] x = TestData.Uniform(Images * Height * Width * channels, 1);

            // Windows of equal cells, of cells that differ by less than what normalization leaves of them, and one that is not a number.
            x.AsSpan(0, 2 * channels).Fill(0.25f);
            x.AsSpan(Width * channels, 2 * channels).Fill(0.25f);
            x.AsSpan(2 * channels, 2 * channels).Fill(MathF.BitIncrement(0.25f));
            x[channels * 5] = float.NaN;
            SimdLevels.Dispatch<Work, bool>(level, new(function, channels, x));
        }
    }

    private readonly record struct Work(Activation Function, int Channels, float[] X) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector> => ActivationDispatch.Run<Bound<TVector>, bool>(Function, new(Channels, X));
    }

    private readonly struct Bound<TVector>(int channels, float[] values) : IActivationWork<bool>
        where TVector : struct, IVector<TVector>
    {
        public bool Run<TActivation>()
            where TActivation : struct, IActivation
        {
            int length = values.Length, pooled = length / 4, width = channels;
            using GuardedMemory x = new(values, Guard.After), dy = new(TestData.Uniform(pooled, 2), Guard.After);
            using GuardedMemory mean = Row(3), scale = Row(5), beta = Row(6), slope = Row(7), offset = Row(8);

            // Normalization that turns the order around, and one that leaves none.
            scale.Span[0] = -0.75f;
            scale.Span[^1] = channels > 1 ? 0 : -0.75f;
            using GuardedMemory gamma = new([.. scale.Span.ToArray().Select(value => value * 2)], Guard.After);
            using GuardedMemory winner = new(pooled, Guard.After), dx = new(length, Guard.After), y = new(length, Guard.After), z = new(pooled, Guard.After), again = new(pooled, Guard.After);
            using GuardedMemory spread = new(length, Guard.After), expectedGradient = new(length, Guard.After);
            byte[] winners = new byte[pooled], unused = new byte[pooled];
            fixed (byte* numbers = winners, others = unused)
            {
                PooledNormalizationKernel.Pool<TVector>(x.Pointer, gamma.Pointer, winner.Pointer, numbers, Images * Height / 2, Width, channels);
                BatchNormalizationKernel.Normalize<TVector, TActivation>(winner.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, again.Pointer, pooled / channels, channels);
                PooledNormalizationKernel.BackwardInput<TVector, TActivation>(
                    x.Pointer, dy.Pointer, numbers, mean.Pointer, scale.Pointer, beta.Pointer, slope.Pointer, offset.Pointer, dx.Pointer, Images * Height / 2, Width, channels);

                BatchNormalizationKernel.Normalize<TVector, TActivation>(x.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, y.Pointer, length / channels, channels);
                MaxPoolKernel.Forward<TVector>(Windows, channels, y.Pointer, z.Pointer, others, Images);
                MaxPoolKernel.Backward<TVector>(Windows, channels, dy.Pointer, numbers, spread.Pointer, Images);
                BatchNormalizationKernel.BackwardInput<TVector, TActivation>(
                    x.Pointer, spread.Pointer, mean.Pointer, scale.Pointer, beta.Pointer, slope.Pointer, offset.Pointer, expectedGradient.Pointer, length / channels, channels);
            }

            Bits(again).Should().Equal(Bits(z), "channels {0}", channels);
            Bits(dx).Should().Equal(Bits(expectedGradient), "channels {0}", channels);
            for (int i = 0; i < pooled; i++)
            {
                int channel = i % channels, pixel = i / channels, corner = (pixel / (Width / 2) * 2 * Width) + (pixel % (Width / 2) * 2);
                float[] cells = [Cell(corner), Cell(corner + 1), Cell(corner + Width), Cell(corner + Width + 1)];
                int expected = Winner(cells, Math.Sign(gamma.Span[channel]));
                ((int)winners[i]).Should().Be(expected, "value {0} of {1} channels", i, channels);
                winner.Span[i].Should().Be(cells[expected]);

                float Cell(int at) => x.Span[(at * width) + channel];
            }

            return true;
        }

        /// <summary>The first of the largest, or of the smallest where the sign is negative; of what is not a number before anything.</summary>
        private static int Winner(float[] cells, int sign)
        {
            int best = 0;
            for (int i = 1; i < cells.Length; i++)
            {
                if (!float.IsNaN(cells[best]) && (float.IsNaN(cells[i]) || cells[i] * sign > cells[best] * sign))
                    best = i;
            }

            return best;
        }

        private static int[] Bits(GuardedMemory memory) => [.. memory.Span.ToArray().Select(value => float.IsNaN(value) ? int.MaxValue : BitConverter.SingleToInt32Bits(value))];

        private GuardedMemory Row(ulong seed) => new(TestData.Uniform(channels, seed), Guard.After);
    }
}
