using System.Runtime.InteropServices;
using FluentAssertions;
using FsCheck.Xunit;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>Gradients that leave zeros out are those of the dense kernels to the bit, at every level.</summary>
public sealed class SparseGradientTests
{
    /// <summary>Whole vectors of inputs of every number that a call takes, at any level; outputs around the least.</summary>
    private static readonly (int Inputs, int Outputs)[] Channels = [(16, 16), (32, 17), (48, 16), (80, 20), (16, 33), (240, 16)];

    [Property(MaxTest = 60, Arbitrary = [typeof(GeometryGenerators)])]
    public void AnyGeometry_AnyPartOfZeros_GivesTheDenseBits(ConvolutionCase any, byte channels, byte part)
    {
        (int inputs, int outputs) = Channels[channels % Channels.Length];
        var c = new ConvolutionCase(any.Images, any.Geometry, inputs, outputs, Groups: 1);
        if (Fits(c))
            Compare(c, part % 5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void ANetworksLayer_GivesTheDenseBits(int part)
    {
        Compare(new(2, new(14, 14, 3, 1, 2, Padding.Same), 64, 32, 1), part);
        Compare(new(1, new(13, 9, new(3, 2), new(2, 3), new(1, 2), Padding.Explicit(2, 1, 0, 3)), 48, 18, 1), part);
        Compare(new(2, new(5, 7, 1, 1, 1, Padding.Valid), 32, 16, 1), part);
    }

    /// <summary>More rows than a band's copy has, at widths down to 128 bits; rows of more inputs, and a pointwise layer of more outputs, than a call of the kernel takes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void SeveralBandsAndCalls_GiveTheDenseBits(int part)
    {
        Compare(new(2, new(41, 36, 3, 1, 2, Padding.Same), 16, 16, 1), part);
        Compare(new(1, new(13, 70, new(2, 5), new(2, 1), new(3, 1), Padding.Same), 32, 17, 1), part);
        Compare(new(1, new(40, 20, 1, 1, 1, Padding.Valid), 16, 70, 1), part);
    }

    [Fact]
    public void WhatDoesNotFit_IsLeftToTheDenseKernels()
    {
        var geometry = new Conv2DGeometry(6, 6, 3, 1, 1, Padding.Same);
        Fits(new(1, geometry, 16, 16, 1)).Should().BeTrue();
        Fits(new(1, geometry, 17, 16, 1)).Should().BeFalse();
        Fits(new(1, geometry, 16, 15, 1)).Should().BeFalse();
        Fits(new(1, geometry, 32, 32, 2)).Should().BeFalse();
        Fits(new(1, new(4, 4, 3, 1, 1, Padding.Same), 1 << 21, 16, 1)).Should().BeFalse("weights would be many");
        Fits(new(1, new(1024, 1024, 1, 256, 1, Padding.Valid), 1 << 10, 16, 1)).Should().BeFalse("an image would be large");
        Fits(new(1, new(300, 300, 3, 1, 1, Padding.Same), 16, 16, 1)).Should().BeFalse("the lists would be long");
        Fits(new(1, new(6, 6, 3, 1, new(1, 3000), Padding.Explicit(0, 0, 6000, 6000)), 16, 16, 1)).Should().BeFalse("what a row of outputs sees would be long");
        Fits(new(1, new(6, 6, 3, 1, new(3000, 1), Padding.Explicit(6000, 6000, 0, 0)), 16, 16, 1)).Should().BeFalse("what a row of outputs sees would be high");
        Fits(new(1, new(8, 8, 3, new(int.MaxValue, 1), 1, Padding.Explicit(1, int.MaxValue, 1, 1)), 16, 16, 1)).Should().BeFalse("rows would lie far apart");
        Fits(new(1, new(64, 64, 1, 8, 1, Padding.Valid), 16, 16, 1)).Should().BeFalse("most of what is copied would not be read");
        Fits(new(1, new(8, 8, 1, 1, 1, Padding.Explicit((1 << 20) - 8, 0, 4088, 0)), 16, 16, 1)).Should().BeFalse("outputs would be many");
    }

    private static ReadOnlySpan<uint> Bits(float[] values) => MemoryMarshal.Cast<float, uint>(values);

    private static bool Fits(ConvolutionCase c) => SparseGradientConvolution<V256>.Fits(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups);

    /// <summary>Part 0 has no value but zeros, part 4 no zeros.</summary>
    private static void Compare(ConvolutionCase c, int part)
    {
        float[] x = TestData.Uniform(c.InputLength, 1), w = TestData.Uniform(c.WeightsLength, 2), b = TestData.Uniform(c.OutputChannels, 3);
        float[] dy = TestData.Uniform(c.OutputLength, 4), chance = TestData.Uniform(c.OutputLength, 5, 0, 4);
        for (int i = 0; i < dy.Length; i++)
            dy[i] = chance[i] < part ? dy[i] : 0;

        ConvolutionRunner.Result dense = ConvolutionRunner.Dense(SimdLevel.Scalar, c, x, w, b, dy);
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            foreach (Guard guard in Enum.GetValues<Guard>())
            {
                ConvolutionRunner.Result sparse = ConvolutionRunner.Sparse(level, c, x, w, b, dy, guard);
                Bits(sparse.Y).SequenceEqual(Bits(dense.Y)).Should().BeTrue("y at {0} should have the same bits", level);
                Bits(sparse.Dx).SequenceEqual(Bits(dense.Dx)).Should().BeTrue("dx at {0} should have the same bits", level);
                Bits(sparse.Dw).SequenceEqual(Bits(dense.Dw)).Should().BeTrue("dw at {0} should have the same bits", level);
            }
        }
    }
}
