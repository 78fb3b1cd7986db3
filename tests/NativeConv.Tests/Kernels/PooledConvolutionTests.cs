using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>A convolution and the max-pooling behind it in one give the bits of the one after the other, at every level.</summary>
public sealed unsafe class PooledConvolutionTests
{
    private static readonly Activation[] Rectifiers = [Activation.Linear, Activation.ReLU, Activation.ReLU6];

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 16)]
    [InlineData(3, 48)]
    [InlineData(4, 80)]
    public void ANetworksLayer_HasTheBitsOfOneAfterTheOther(int inputs, int outputs)
    {
        foreach (int dilation in (int[])[1, 2, 3])
        {
            foreach (int kernel in (int[])[1, 2, 3, 5])
                Compare(new(1, new(16, 12, kernel, 1, dilation, Padding.Same), inputs, outputs, 1));
        }

        // More than one band.
        Compare(new(1, new(94, 98, 3, 1, 1, Padding.Same), inputs, 16, 1));
        Compare(new(1, new(12, 300, 3, 2, 1, Padding.Same), inputs, 16, 1));
    }

    [Fact]
    public void AnyGeometry_HasTheBitsOfOneAfterTheOther()
    {
        int compared = 0;
        foreach (ConvolutionCase c in FewChannelCases.Draw(seed: 8, count: 1500, images: 1, mostVectors: 4))
        {
            if (!PooledConvolution.Fits(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups))
                continue;

            compared++;
            Compare(c);
        }

        compared.Should().BeGreaterThan(150);
    }

    [Fact]
    public void WhatDoesNotFit_IsPooledAfterwards()
    {
        static bool Fits(int height, int inputs, int outputs, int groups = 1, int width = 8) =>
            PooledConvolution.Fits(new(height, width, 3, 1, 1, Padding.Same), inputs, outputs, groups);

        Fits(8, 1, 16).Should().BeTrue();
        Fits(7, 1, 16).Should().BeFalse("windows do not cover the image");
        Fits(8, 5, 16).Should().BeFalse();
        Fits(8, 1, 17).Should().BeFalse();
        Fits(8, 2, 16, groups: 2).Should().BeFalse();
        Fits(8, 1, 16, width: 2046).Should().BeTrue("four lines with zeros beside them fit the stack");
        Fits(8, 1, 16, width: 2048).Should().BeFalse();
        PooledConvolution.Fits(Huge, 1, 16, 1).Should().BeFalse("lines are many");
        PooledWeightGradient.Fits(Huge, 1, 16, 1).Should().BeFalse("fours are many");
    }

    /// <summary>Sizes that only a file that means harm has.</summary>
    private static Conv2DGeometry Huge => new(2, 2, 5, 1, 1 << 28, Padding.Explicit(1 << 29, 1 << 29, 1 << 29, 1 << 29));

    [Fact]
    public void LargeDilations_ThatShareNoDivisorWithTwo_HaveDenseGradients()
    {
        PooledWeightGradient.Fits(new(256, 256, 3, 1, 8, Padding.Same), 1, 16, 1).Should().BeTrue();
        PooledWeightGradient.Fits(new(256, 256, 3, 1, 9, Padding.Same), 1, 16, 1).Should().BeFalse();
    }

    private static void Compare(ConvolutionCase c)
    {
        // Values around a rectifier's bounds, equal ones, and some that are no numbers.
        PooledConvolution.Fits(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups).Should().BeTrue("{0}", c);
        float[] x = TestData.Uniform(c.InputLength, 1, -3, 3), w = TestData.Integers(c.WeightsLength, 2, magnitude: 2), b = TestData.Uniform(c.OutputChannels, 3, -1, 2);
        for (int i = 0; i < x.Length; i += 5)
            x[i] = MathF.Round(x[i]);

        if (x.Length > 40)
            (x[17], x[18], x[31], x[32]) = (float.NaN, float.NaN, float.PositiveInfinity, float.NegativeInfinity);

        foreach (Activation function in Rectifiers)
        {
            foreach (float[]? bias in (float[]?[])[b, null])
            {
                foreach (SimdLevel level in SimdLevels.Callable)
                    SimdLevels.Dispatch<Work, bool>(level, new(c, x, w, bias, Rectifier.Of(function)!.Value)).Should().BeTrue("{0}, {1} of {2}", level, function, c);
            }
        }
    }

    private readonly record struct Work(ConvolutionCase Case, float[] X, float[] W, float[]? B, Rectifier Rectifier) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            Conv2DGeometry g = Case.Geometry, windows = new(g.OutputHeight, g.OutputWidth, 2, 2, 1, Padding.Valid);
            int length = Case.OutputLength / 4, rows = g.OutputHeight / 2, outputs = Case.OutputChannels;
            float[] y = new float[Case.OutputLength], expected = new float[length], actual = new float[length], alone = new float[length];
            byte[] winners = new byte[length], came = new byte[length];
            var convolution = ConvolutionPass.Forward(g, Case.InputChannels, outputs, 1, Rectifier);
            float[] packed = new float[convolution.PackedLength<TVector>()];
            var both = new PooledConvolution(g, Case.InputChannels, outputs, Rectifier);
            fixed (float* x = X, w = W, b = B, p = packed, toY = y, toExpected = expected, toActual = actual, toAlone = alone)
            fixed (byte* toWinners = winners, toCame = came)
            {
                convolution.Pack<TVector>(w, b, p, Share.All);
                convolution.RunRows<TVector>(x, p, toY, 0, g.OutputHeight);
                MaxPool2x2.Forward<TVector>(windows, outputs, Rectifier, toY, toExpected, toWinners, 0, rows);
                both.Run<TVector>(x, w, b, toActual, toCame, rows / 2, rows);
                both.Run<TVector>(x, w, b, toActual, toCame, 0, rows / 2);
                both.Run<TVector>(x, w, b, toAlone, null, 0, rows);
            }

            return Same(actual, expected) && Same(alone, expected) && came.AsSpan().SequenceEqual(winners);
        }

        /// <summary>To the bit, but for what kind of NaN it is.</summary>
        private static bool Same(float[] left, float[] right) =>
            left.Zip(right).All(pair => BitConverter.SingleToInt32Bits(pair.First) == BitConverter.SingleToInt32Bits(pair.Second) || (float.IsNaN(pair.First) && float.IsNaN(pair.Second)));
    }
}
