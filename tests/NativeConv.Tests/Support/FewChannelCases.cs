using NativeConv.Random;

namespace NativeConv.Tests.Support;

/// <summary>Convolutions of one to four input channels to whole sixteens of outputs, of any geometry: kernels, strides, dilations and paddings that differ by axis.</summary>
internal static class FewChannelCases
{
    /// <summary>Draws so many geometries, and gives those that have an output.</summary>
    public static IEnumerable<ConvolutionCase> Draw(ulong seed, int count, int images, int mostVectors)
    {
        RandomStream random = TestData.Stream(seed);
        int Next(int from, int to) => from + (int)random.NextBelow((uint)(to - from + 1));
        for (int i = 0; i < count; i++)
        {
            Size2D kernel = new(Next(1, 6), Next(1, 6)), stride = new(Next(1, 3), Next(1, 3)), dilation = new(Next(1, 4), Next(1, 4));
            var padding = Padding.Explicit(Next(0, 5), Next(0, 5), Next(0, 5), Next(0, 5));
            (int height, int width, int inputs, int outputs) = (Next(1, 14), Next(1, 14), Next(1, 4), 16 * Next(1, mostVectors));
            if (height + padding.Top + padding.Bottom > (kernel.Height - 1) * dilation.Height && width + padding.Left + padding.Right > (kernel.Width - 1) * dilation.Width)
                yield return new(images, new(height, width, kernel, stride, dilation, padding), inputs, outputs, Groups: 1);
        }
    }
}
