using FluentAssertions;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>Images and outputs on both sides of a file: [n, h, w, c] here, [n, c, h, w] there.</summary>
public static class OnnxData
{
    public static float[] Images(Model model, int count, int seed)
    {
        var random = new System.Random(seed);
        return [.. Enumerable.Range(0, count * model.InputShape.Length).Select(_ => (4 * random.NextSingle()) - 2)];
    }

    public static float[] Predict(Model model, float[] images)
    {
        float[] outputs = new float[images.Length / model.InputShape.Length * model.OutputShape.Length];
        model.Predict(images, outputs);
        return outputs;
    }

    public static float[] ToChannelsFirst(ReadOnlySpan<float> images, ImageShape shape) => Transpose(images, shape.Pixels, shape.Channels);

    public static float[] ToChannelsLast(ReadOnlySpan<float> images, ImageShape shape) => Transpose(images, shape.Channels, shape.Pixels);

    /// <summary>Asserts that values agree within 1e-5 of the largest.</summary>
    public static void ShouldAgree(float[] actual, float[] expected, string because = "")
    {
        actual.Should().HaveSameCount(expected, because);
        float largest = expected.Max(Math.Abs), worst = actual.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        worst.Should().BeLessThanOrEqualTo(1e-5f * Math.Max(largest, float.Epsilon), "{0}the largest output is {1}", because, largest);
    }

    private static float[] Transpose(ReadOnlySpan<float> images, int rows, int columns)
    {
        float[] result = new float[images.Length];
        for (int i = 0; i < images.Length; i++)
        {
            int image = i / (rows * columns), row = i / columns % rows, column = i % columns;
            result[(image * rows * columns) + (column * rows) + row] = images[i];
        }

        return result;
    }
}
