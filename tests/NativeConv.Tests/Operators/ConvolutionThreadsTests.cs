using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Operators;

/// <summary>Convolutions on spans give the same bits however many threads share them out: images, rows, pixels, or where pixels are few, channels.</summary>
public sealed class ConvolutionThreadsTests
{
    /// <summary>Few pixels against many weights, on both sides of where weights are packed beforehand, and of the work that a further thread is worth.</summary>
    public static TheoryData<ConvolutionCase> Cases =>
    [
        new(1, new(7, 7, 1, 1, 1, Padding.Valid), 130, 163, 1),
        new(1, new(7, 7, 1, 1, 1, Padding.Valid), 256, 96, 1),
        new(1, new(28, 27, 1, 1, 1, Padding.Valid), 33, 190, 1),
        new(1, new(31, 30, 1, 1, 1, Padding.Valid), 190, 33, 1),
        new(3, new(1, 1, 1, 1, 1, Padding.Valid), 717, 803, 1),
        new(2, new(6, 5, 1, 2, 1, Padding.Valid), 229, 361, 1),
        new(1, new(6, 7, 3, 1, 1, Padding.Same), 70, 129, 1),
        new(2, new(5, 5, 3, 1, 2, Padding.Same), 122, 142, 2),
        new(1, new(19, 21, 3, 2, 1, Padding.Same), 21, 50, 1),
        new(1, new(9, 8, 1, 1, 1, Padding.Valid), 400, 3, 1),
    ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convolution_AnyThreadCountAndLevel_GivesTheSameBits(ConvolutionCase c)
    {
        float[] x = TestData.Uniform(c.InputLength, 1), w = TestData.Uniform(c.WeightsLength, 2), b = TestData.Uniform(c.OutputChannels, 3);
        float[] dy = TestData.Uniform(c.OutputLength, 4);
        float[] y = new float[c.OutputLength], dx = new float[c.InputLength], dw = new float[c.WeightsLength];
        float[]? firstY = null, firstDx = null, firstDw = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            if (!SimdLevels.HasFusedMultiplyAdd)
                firstY = firstDx = firstDw = null;

            foreach (int threads in (int[])[1, 2, 3, 8])
            {
                y.AsSpan().Fill(float.NaN);
                dx.AsSpan().Fill(float.NaN);
                dw.AsSpan().Fill(float.NaN);
                var execution = new ExecutionOptions { Level = level, ThreadCount = threads };
                Convolution.Forward(c.Geometry, c.InputChannels, c.OutputChannels, x, w, b, y, c.Groups, execution);
                Convolution.BackwardInput(c.Geometry, c.InputChannels, c.OutputChannels, dy, w, dx, c.Groups, execution);
                Convolution.BackwardWeights(c.Geometry, c.InputChannels, c.OutputChannels, x, dy, dw, c.Groups, execution);
                Same(y, firstY ??= [.. y], "y");
                Same(dx, firstDx ??= [.. dx], "dx");
                Same(dw, firstDw ??= [.. dw], "dw");

                void Same(float[] actual, float[] expected, string what) =>
                    actual.AsSpan().SequenceEqual(expected).Should().BeTrue("{0} on {1} threads at {2} should have the same bits", what, threads, level);
            }
        }

        firstY.Should().NotContain(float.NaN);
        firstDx.Should().NotContain(float.NaN);
        firstDw.Should().NotContain(float.NaN);
    }

    /// <summary>One image, whose rows are shared out; fewer images than threads; few channels; more images; a multiplier; so many channels that packing is shared out, too; and too little for a fork.</summary>
    [Theory]
    [InlineData(1, 57, 64, 3, 1, 1)]
    [InlineData(1, 40, 130, 3, 2, 1)]
    [InlineData(2, 91, 8, 5, 1, 1)]
    [InlineData(9, 17, 70, 3, 1, 1)]
    [InlineData(2, 40, 16, 3, 1, 4)]
    [InlineData(1, 13, 3300, 3, 1, 1)]
    [InlineData(1, 14, 48, 3, 1, 1)]
    public void DepthwiseConvolution_AnyThreadCountAndLevel_GivesTheSameBits(int images, int size, int channels, int kernel, int dilation, int multiplier)
    {
        Conv2DGeometry geometry = new(size, size + 1, kernel, 1, dilation, Padding.Same);
        int pixels = images * size * (size + 1), filters = channels * multiplier;
        float[] x = TestData.Uniform(pixels * channels, 1), w = TestData.Uniform(kernel * kernel * filters, 2), b = TestData.Uniform(filters, 3), dy = TestData.Uniform(pixels * filters, 4);
        float[]? first = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            if (!SimdLevels.HasFusedMultiplyAdd)
                first = null;

            foreach (int threads in (int[])[1, 2, 3, 8])
            {
                float[] y = new float[pixels * filters], dx = new float[pixels * channels], dw = new float[w.Length];
                var execution = new ExecutionOptions { Level = level, ThreadCount = threads };
                DepthwiseConvolution.Forward(geometry, channels, x, w, b, y, multiplier, execution);
                DepthwiseConvolution.BackwardInput(geometry, channels, dy, w, dx, multiplier, execution);
                DepthwiseConvolution.BackwardWeights(geometry, channels, x, dy, dw, multiplier, execution);
                float[] all = [.. y, .. dx, .. dw];
                all.AsSpan().SequenceEqual(first ??= all).Should().BeTrue("{0} threads at {1} should give the bits of one", threads, level);
            }
        }
    }

    [Fact]
    public void BackwardWeights_NoImages_WritesZeros()
    {
        float[] dw = [float.NaN, 2, 3, 4, 5, 6];
        Convolution.BackwardWeights(new(3, 3, 1, 1, 1, Padding.Valid), 2, 3, [], [], dw);
        dw.Should().OnlyContain(value => value == 0);
    }

    /// <summary>Pointwise, of many weights and few; dense; one input channel; depthwise, along the row and not.</summary>
    [Fact]
    public void ForwardAndBackwardInput_NoImages_WriteNothing()
    {
        foreach (int threads in (int[])[1, 2])
        {
            ExecutionOptions options = new() { ThreadCount = threads };
            foreach ((int kernel, int inputs, int outputs) in ((int, int, int)[])[(1, 2, 3), (1, 64, 64), (1, 64, 1), (3, 16, 24), (3, 1, 32)])
            {
                Conv2DGeometry geometry = new(6, 6, kernel, 1, 1, Padding.Same);
                float[] w = new float[kernel * kernel * inputs * outputs];
                Convolution.Forward(geometry, inputs, outputs, [], w, [], [], 1, options);
                Convolution.BackwardInput(geometry, inputs, outputs, [], w, [], 1, options);
            }

            foreach (int channels in (int[])[1, 32])
            {
                Conv2DGeometry geometry = new(6, 6, 3, 1, 1, Padding.Same);
                DepthwiseConvolution.Forward(geometry, channels, [], new float[9 * channels], [], [], 1, options);
                DepthwiseConvolution.BackwardInput(geometry, channels, [], new float[9 * channels], [], 1, options);
            }
        }
    }
}
