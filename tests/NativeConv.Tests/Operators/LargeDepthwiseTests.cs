using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tensors;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Operators;

/// <summary>Depthwise convolutions of tensors that outgrow the caches are computed a few rows at a time while the next are fetched: the same bits as image by image, or by channels shared out, which are not.</summary>
public sealed class LargeDepthwiseTests
{
    /// <summary>Shapes whose batch is large enough to be fetched, and whose images alone, but for those of most channels, are not.</summary>
    public static TheoryData<Conv2DGeometry, int> Shapes => new()
    {
        { new(83, 91, 3, 1, 1, Padding.Same), 64 },
        { new(84, 90, 3, 1, 3, Padding.Same), 60 },
        { new(91, 92, 3, 2, 1, Padding.Same), 64 },
        { new(95, 90, 3, 2, 2, Padding.Same), 61 },
        { new(89, 97, 5, 3, 1, Padding.Valid), 64 },
        { new(97, 91, 1, 2, 1, Padding.Valid), 57 },
        { new(29, 30, 3, 1, 1, Padding.Same), 512 },
        { new(45, 37, 3, 2, 1, Padding.Same), 512 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Depthwise_LargeBatch_GivesTheBitsOfSmallCalls(Conv2DGeometry geometry, int channels)
    {
        const int Images = 3;
        int input = geometry.InputPixels * channels, output = geometry.OutputPixels * channels, length = geometry.KernelHeight * geometry.KernelWidth * channels;
        float[] x = TestData.Uniform(Images * input, 1), w = TestData.Uniform(length, 2), b = TestData.Uniform(channels, 3), dy = TestData.Uniform(Images * output, 4);
        // Aligned, as an image's own arrays are not: lines are computed two at a time where there are registers.
        AlignedMemory largeY = new(Images * output), largeDx = new(Images * input);
        Span<float> y = largeY.Memory.Span, dx = largeDx.Memory.Span;
        float[] dw = new float[length];
        float[] small = new float[input], smallDw = new float[length];
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            ExecutionOptions one = new() { Level = level, ThreadCount = 1 }, two = new() { Level = level, ThreadCount = 2 };
            y.Fill(float.NaN);
            dx.Fill(float.NaN);
            DepthwiseConvolution.Forward(geometry, channels, x, w, b, y, 1, one);
            DepthwiseConvolution.BackwardInput(geometry, channels, dy, w, dx, 1, one);
            for (int image = 0; image < Images; image++)
            {
                DepthwiseConvolution.Forward(geometry, channels, x.AsSpan(image * input, input), w, b, small.AsSpan(0, output), 1, one);
                y.Slice(image * output, output).SequenceEqual(small.AsSpan(0, output)).Should().BeTrue("y of image {0} at {1}", image, level);
                DepthwiseConvolution.BackwardInput(geometry, channels, dy.AsSpan(image * output, output), w, small, 1, one);
                dx.Slice(image * input, input).SequenceEqual(small).Should().BeTrue("dx of image {0} at {1}", image, level);
            }

            DepthwiseConvolution.BackwardWeights(geometry, channels, x, dy, dw, 1, one);
            DepthwiseConvolution.BackwardWeights(geometry, channels, x, dy, smallDw, 1, two);
            dw.AsSpan().SequenceEqual(smallDw).Should().BeTrue("dw at {0}", level);
            dw.Should().NotContain(float.NaN).And.Contain(value => value != 0);
        }
    }

    /// <summary>So large for each of some threads, of which there may be more than images, that rows are read in the order of their addresses and results pass the caches.</summary>
    [Theory]
    [InlineData(3, 2, 201)]
    [InlineData(1, 2, 601)]
    public void Forward_BatchBeyondTheCaches_GivesTheBitsOfSmallCalls(int images, int threads, int height)
    {
        const int Channels = 80;
        Conv2DGeometry geometry = new(height, 224, 3, 2, 1, Padding.Same);
        int input = geometry.InputPixels * Channels, output = geometry.OutputPixels * Channels;
        (sizeof(float) * (long)images * (input + output) / threads).Should().BeGreaterThan(20 << 20);
        float[] x = TestData.Uniform(images * input, 1), w = TestData.Uniform(9 * Channels, 2), b = TestData.Uniform(Channels, 3), small = new float[output];
        AlignedMemory large = new(images * output);
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            large.Span.Fill(float.NaN);
            DepthwiseConvolution.Forward(geometry, Channels, x, w, b, large.Span, 1, new() { Level = level, ThreadCount = threads });
            for (int image = 0; image < images; image++)
            {
                DepthwiseConvolution.Forward(geometry, Channels, x.AsSpan(image * input, input), w, b, small, 1, new() { Level = level, ThreadCount = 1 });
                large.Span.Slice(image * output, output).SequenceEqual(small).Should().BeTrue("y of image {0} at {1}", image, level);
            }
        }

        GC.KeepAlive(large);
    }

    /// <summary>Whole numbers, whose sums are exact, so that the order in which a batch's parts are added does not matter.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void BackwardWeights_LargeBatch_IsTheSumOfSmallCalls(Conv2DGeometry geometry, int channels)
    {
        const int Images = 4;
        int input = geometry.InputPixels * channels, output = geometry.OutputPixels * channels, length = geometry.KernelHeight * geometry.KernelWidth * channels;
        float[] x = TestData.Integers(Images * input, 1), dy = TestData.Integers(Images * output, 2), dw = new float[length], part = new float[length], sum = new float[length];
        for (int image = 0; image < Images; image++)
        {
            DepthwiseConvolution.BackwardWeights(geometry, channels, x.AsSpan(image * input, input), dy.AsSpan(image * output, output), part);
            for (int i = 0; i < length; i++)
                sum[i] += part[i];
        }

        foreach (SimdLevel level in SimdLevels.Callable)
        {
            DepthwiseConvolution.BackwardWeights(geometry, channels, x, dy, dw, 1, new() { Level = level });
            dw.AsSpan().SequenceEqual(sum).Should().BeTrue("dw at {0}", level);
        }
    }
}
