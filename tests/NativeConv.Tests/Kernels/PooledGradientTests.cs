using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>Gradients from a 2x2 max-pooling's are those of the gradient that it spreads over the image: exactly with whole numbers, by inputs to the bit, and at every level the same bits.</summary>
public sealed unsafe class PooledGradientTests
{
    private const int NoCell = 4;

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 32)]
    [InlineData(3, 16)]
    [InlineData(4, 48)]
    public void ANetworksLayer_IsExact(int inputs, int outputs)
    {
        foreach (int dilation in (int[])[1, 2, 3])
        {
            foreach (int kernel in (int[])[3, 4, 5, 7])
                Compare(new(2, new(16, 12, kernel, 1, dilation, Padding.Same), inputs, outputs, 1));
        }

        // More than one band, and a row of windows that is one.
        Compare(new(1, new(64, 40, 3, 1, 1, Padding.Same), inputs, outputs, 1));
        Compare(new(1, new(4, 600, 3, 1, 2, Padding.Same), inputs, outputs, 1));
    }

    [Fact]
    public void AnyGeometry_IsExact()
    {
        int compared = 0;
        foreach (ConvolutionCase c in FewChannelCases.Draw(seed: 7, count: 3000, images: 2, mostVectors: 2))
        {
            if (!PooledWeightGradient.Fits(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups))
                continue;

            compared++;
            Compare(c);
        }

        compared.Should().BeGreaterThan(200);
    }

    [Fact]
    public void WhatDoesNotFit_KeepsItsOwnGradient()
    {
        static bool Fits(int size, int inputs, int outputs, int groups = 1, int kernel = 3) =>
            PooledWeightGradient.Fits(new(size, 8, kernel, 1, 1, Padding.Same), inputs, outputs, groups);

        Fits(8, 1, 16).Should().BeTrue();
        Fits(7, 1, 16).Should().BeFalse("windows do not cover the image");
        Fits(8, 5, 16).Should().BeFalse();
        Fits(8, 1, 17).Should().BeFalse();
        Fits(8, 2, 16, groups: 2).Should().BeFalse();
        Fits(8, 1, 16, kernel: 1).Should().BeFalse();
    }

    private static void Compare(ConvolutionCase c)
    {
        Conv2DGeometry g = c.Geometry;
        float[] x = TestData.Integers(c.InputLength, 1, magnitude: 3), w = TestData.Integers(c.WeightsLength, 2, magnitude: 3), pooled = TestData.Integers(c.OutputLength / 4, 3, magnitude: 3);
        byte[] winners = [.. TestData.Uniform(pooled.Length, 4, 0, 5).Select(value => (byte)value)];
        float[] dy = new float[c.OutputLength];
        for (int i = 0; i < pooled.Length; i++)
        {
            int channel = i % c.OutputChannels, window = i / c.OutputChannels, columns = g.OutputWidth / 2;
            int row = (2 * (window / columns)) + (winners[i] >> 1), column = (2 * (window % columns)) + (winners[i] & 1);
            if (winners[i] == NoCell)
                pooled[i] = 0;
            else
                dy[(((row * g.OutputWidth) + column) * c.OutputChannels) + channel] = pooled[i];
        }

        ConvolutionRunner.Result expected = ConvolutionRunner.Dense(SimdLevel.Scalar, c, x, w, null, dy);
        bool isFolded = FoldedInputGradient.Fits(g, c.InputChannels, c.OutputChannels, c.Groups);
        (float[] Dx, float[] Dw)? fractions = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            (float[] dx, float[] dw) = SimdLevels.Dispatch<Work, (float[], float[])>(level, new(c, x, w, pooled, winners));
            dx.Should().Equal(expected.Dx, "{0}, dx of {1}", level, c);
            dw.Should().Equal(expected.Dw, "{0}, dw of {1}", level, c);
            if (!SimdLevels.HasFusedMultiplyAdd)
                continue;

            float[] Third(float[] values) => [.. values.Select(value => value / 3)];
            (float[] Dx, float[] Dw) now = SimdLevels.Dispatch<Work, (float[], float[])>(level, new(c, Third(x), Third(w), Third(pooled), winners));
            fractions ??= (isFolded ? ConvolutionRunner.Dense(level, c, Third(x), Third(w), null, Third(dy)).Dx : now.Dx, now.Dw);
            now.Dx.AsSpan().SequenceEqual(fractions.Value.Dx).Should().BeTrue("{0}, dx of {1} should have the bits of the gradient spread over the image", level, c);
            now.Dw.AsSpan().SequenceEqual(fractions.Value.Dw).Should().BeTrue("{0}, dw of {1} should have the same bits", level, c);
        }
    }

    private readonly record struct Work(ConvolutionCase Case, float[] X, float[] W, float[] Pooled, byte[] Winners) : ISimdWork<(float[] Dx, float[] Dw)>
    {
        public (float[] Dx, float[] Dw) Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            var gradient = new PooledGradient<TVector>(Case.Geometry, Case.InputChannels, Case.OutputChannels);
            using var packed = new GuardedMemory(gradient.PackedLength, Guard.After);
            using var scratch = new GuardedMemory(gradient.ScratchLength, Guard.After);
            float[] dx = new float[Case.InputLength], dw = new float[Case.WeightsLength];
            fixed (float* x = X, w = W, pooled = Pooled, toX = dx, toW = dw)
            fixed (byte* winners = Winners)
            {
                gradient.Pack(w, packed.Pointer);
                gradient.Run(x, pooled, winners, packed.Pointer, toX, toW, scratch.Pointer, Case.Images);
            }

            return (dx, dw);
        }
    }
}
