using System.Globalization;
using System.Text.RegularExpressions;

namespace NativeConv.Benchmarks;

/// <summary>A convolution to measure.</summary>
/// <param name="Kernel">Which kernel computes it.</param>
/// <param name="Size">Height and width.</param>
/// <param name="Channels">Input channels.</param>
/// <param name="Filters">Output channels.</param>
/// <param name="Window">Rows and columns of taps.</param>
/// <param name="Dilation">Cells between taps.</param>
/// <param name="Images">Images of a batch, in the roofline of each thread's.</param>
/// <param name="Stride">Cells between outputs.</param>
public sealed partial record ConvolutionShape(string Kernel, int Size, int Channels, int Filters, int Window, int Dilation, int Images, int Stride = 1)
{
    public const string Depthwise = "depthwise", Pointwise = "pointwise", Dense = "dense";

    /// <summary>What is measured against the machine's limits.</summary>
    public static readonly ConvolutionShape[] Roofline =
    [
        new(Pointwise, 28, 64, 64, 1, 1, 4), new(Pointwise, 28, 128, 128, 1, 1, 4), new(Pointwise, 14, 512, 512, 1, 1, 4), new(Pointwise, 28, 32, 64, 1, 1, 4),
        new(Pointwise, 7, 64, 128, 1, 1, 16), new(Pointwise, 14, 100, 100, 1, 1, 8),
        new(Dense, 28, 64, 64, 3, 1, 4), new(Dense, 14, 64, 32, 3, 2, 16), new(Dense, 28, 1, 32, 3, 1, 8), new(Dense, 28, 64, 64, 3, 4, 4),
        new(Depthwise, 28, 64, 64, 3, 1, 1), new(Depthwise, 28, 64, 64, 3, 2, 1), new(Depthwise, 14, 64, 64, 3, 2, 2), new(Depthwise, 28, 64, 64, 5, 1, 1),
        new(Depthwise, 28, 64, 64, 5, 2, 1), new(Depthwise, 28, 64, 64, 7, 1, 1), new(Depthwise, 28, 64, 64, 3, 1, 1, 2), new(Depthwise, 28, 17, 17, 3, 2, 2),
        new(Depthwise, 28, 100, 100, 3, 2, 1), new(Depthwise, 28, 1, 1, 3, 1, 16), new(Depthwise, 28, 1, 64, 3, 1, 2), new(Depthwise, 28, 16, 32, 3, 1, 1),
        new(Depthwise, 28, 64, 64, 3, 2, 32), new(Depthwise, 112, 128, 128, 3, 2, 2),
    ];

    /// <summary>Depthwise layers, realistic and odd: few channels, several outputs a channel, large windows, strides, out of cache.</summary>
    public static readonly ConvolutionShape[] DepthwiseLayers =
    [
        new(Depthwise, 28, 64, 64, 3, 1, 32), new(Depthwise, 28, 64, 64, 3, 2, 32), new(Depthwise, 14, 64, 64, 3, 2, 32), new(Depthwise, 112, 128, 128, 3, 2, 4),
        new(Depthwise, 28, 64, 64, 5, 1, 32), new(Depthwise, 28, 64, 64, 7, 1, 32), new(Depthwise, 28, 64, 64, 3, 1, 32, 2), new(Depthwise, 28, 17, 17, 3, 2, 32),
        new(Depthwise, 28, 100, 100, 3, 1, 32), new(Depthwise, 28, 1, 1, 3, 1, 32), new(Depthwise, 28, 1, 64, 3, 1, 32), new(Depthwise, 28, 32, 64, 3, 1, 32),
    ];

    /// <summary>Pointwise layers, realistic and odd.</summary>
    public static readonly ConvolutionShape[] PointwiseLayers =
    [
        new(Pointwise, 28, 64, 64, 1, 1, 32), new(Pointwise, 28, 128, 128, 1, 1, 32), new(Pointwise, 14, 512, 512, 1, 1, 8), new(Pointwise, 28, 32, 64, 1, 1, 32),
        new(Pointwise, 14, 100, 100, 1, 1, 32), new(Pointwise, 14, 17, 17, 1, 1, 32), new(Pointwise, 28, 64, 1, 1, 1, 32), new(Pointwise, 28, 64, 128, 1, 1, 32, 2),
    ];

    /// <summary>Dense layers, realistic and odd.</summary>
    public static readonly ConvolutionShape[] DenseLayers =
    [
        new(Dense, 28, 64, 64, 3, 1, 8), new(Dense, 14, 64, 32, 3, 2, 32), new(Dense, 28, 1, 32, 3, 1, 32), new(Dense, 28, 1, 64, 3, 2, 32),
        new(Dense, 28, 17, 100, 3, 1, 8), new(Dense, 28, 64, 128, 3, 1, 8, 2), new(Dense, 14, 64, 64, 5, 1, 8), new(Dense, 112, 3, 32, 7, 1, 4, 2),
    ];

    /// <summary>Reads a shape as a row shows it, after its kernel's name: "depthwise 1x28x28x64->64 3x3 d2".</summary>
    /// <exception cref="FormatException">The text is not of this form.</exception>
    public static ConvolutionShape Parse(string text)
    {
        Match match = Format().Match(text);
        if (!match.Success)
            throw new FormatException($"A shape reads like 'depthwise 1x28x28x64->64 3x3 d2 s2' (images, height, width, channels, filters, window, dilation, stride), not '{text}'.");

        int Value(string group, int absent = 1) =>
            match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : absent;
        return new(match.Groups["kernel"].Value, Value("size"), Value("channels"), Value("filters"), Value("window"), Value("dilation"), Value("images"), Value("stride"));
    }

    public Conv2DGeometry Geometry => new(Size, Size, Window, Stride, Dilation, Padding.Same);

    public long InputLength => (long)Geometry.InputPixels * Channels;

    public long OutputLength => (long)Geometry.OutputPixels * Filters;

    public int WeightsLength => Window * Window * (Kernel == Depthwise ? Filters : Channels * Filters);

    /// <summary>Multiplications and additions of one image, taps inside the image alone.</summary>
    public double Flops => 2.0 * TapsInside(Geometry) * (Kernel == Depthwise ? Filters : (double)Channels * Filters);

    /// <summary>Over all places of a window, its cells inside the image.</summary>
    public static long TapsInside(in Conv2DGeometry g)
    {
        long rows = 0, columns = 0;
        for (int i = 0; i < g.OutputHeight; i++)
            rows += g.ValidRowTaps(i).End - g.ValidRowTaps(i).First;

        for (int i = 0; i < g.OutputWidth; i++)
            columns += g.ValidColumnTaps(i).End - g.ValidColumnTaps(i).First;

        return rows * columns;
    }

    public override string ToString() =>
        $"{Images}x{Size}x{Size}x{Channels}->{Filters} {Window}x{Window}{(Dilation > 1 ? $" d{Dilation}" : "")}{(Stride > 1 ? $" s{Stride}" : "")}";

    [GeneratedRegex(@"^(?<kernel>depthwise|pointwise|dense)\s+(?<images>\d+)x(?<size>\d+)x\k<size>x(?<channels>\d+)->(?<filters>\d+)\s+(?<window>\d+)x\k<window>(\s+d(?<dilation>\d+))?(\s+s(?<stride>\d+))?$")]
    private static partial Regex Format();
}
