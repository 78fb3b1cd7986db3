using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Operators;

/// <summary>Pointwise convolutions of more pixels than a cache holds, which are fetched while others are computed: the same bits as image by image, which are not.</summary>
public sealed class LargePointwiseTests
{
    /// <summary>Blocks of one vector and of two; odd numbers of tiles, of which two are computed as one; segments of several lengths, longer ones where weights are many, and weights that are asked for themselves.</summary>
    [Theory]
    [InlineData(37, 29, 64, 24)]
    [InlineData(41, 31, 17, 70)]
    [InlineData(29, 24, 224, 232)]
    [InlineData(18, 18, 530, 540)]
    public void Pointwise_LargeBatch_GivesTheBitsOfSmallCalls(int height, int width, int inputs, int outputs)
    {
        const int Images = 7;
        var geometry = new Conv2DGeometry(height, width, 1, 1, 1, Padding.Valid);
        int input = geometry.InputPixels * inputs, output = geometry.OutputPixels * outputs;
        float[] x = TestData.Uniform(Images * input, 1), w = TestData.Uniform(inputs * outputs, 2), b = TestData.Uniform(outputs, 3), dy = TestData.Uniform(Images * output, 4);
        float[] y = new float[Images * output], dx = new float[Images * input], smallY = new float[output], smallDx = new float[input];
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            ExecutionOptions options = new() { Level = level, ThreadCount = 1 };
            y.AsSpan().Fill(float.NaN);
            dx.AsSpan().Fill(float.NaN);
            Convolution.Forward(geometry, inputs, outputs, x, w, b, y, 1, options);
            Convolution.BackwardInput(geometry, inputs, outputs, dy, w, dx, 1, options);
            for (int image = 0; image < Images; image++)
            {
                Convolution.Forward(geometry, inputs, outputs, x.AsSpan(image * input, input), w, b, smallY, 1, options);
                y.AsSpan(image * output, output).SequenceEqual(smallY).Should().BeTrue("y of image {0} at {1}", image, level);
                Convolution.BackwardInput(geometry, inputs, outputs, dy.AsSpan(image * output, output), w, smallDx, 1, options);
                dx.AsSpan(image * input, input).SequenceEqual(smallDx).Should().BeTrue("dx of image {0} at {1}", image, level);
            }
        }
    }
}
