namespace NativeConv.Tests.Support;

/// <summary>
/// The sizes of one convolution. x is [Images, H, W, InputChannels], w is [Kh, Kw, InputChannels / Groups, OutputChannels],
/// y is [Images, Oh, Ow, OutputChannels].
/// </summary>
public sealed record ConvolutionCase(int Images, Conv2DGeometry Geometry, int InputChannels, int OutputChannels, int Groups)
{
    public int InputLength => Images * Geometry.InputPixels * InputChannels;

    public int WeightsLength => Geometry.KernelHeight * Geometry.KernelWidth * (InputChannels / Groups) * OutputChannels;

    public int OutputLength => Images * Geometry.OutputPixels * OutputChannels;

    public override string ToString() =>
        $"n{Images} {Geometry.InputHeight}x{Geometry.InputWidth}x{InputChannels}->{OutputChannels} g{Groups} {GeometryText.Of(Geometry)}";
}

/// <summary>
/// The sizes of one depthwise convolution. x is [Images, H, W, Channels], w is [Kh, Kw, Channels, Multiplier],
/// y is [Images, Oh, Ow, Channels * Multiplier].
/// </summary>
public sealed record DepthwiseCase(int Images, Conv2DGeometry Geometry, int Channels, int Multiplier)
{
    /// <summary>The same as a convolution of one group a channel, whose weights have the same layout.</summary>
    public ConvolutionCase AsConvolution => new(Images, Geometry, Channels, Channels * Multiplier, Channels);

    public override string ToString() =>
        $"n{Images} {Geometry.InputHeight}x{Geometry.InputWidth}x{Channels} multiplier {Multiplier} {GeometryText.Of(Geometry)}";
}

/// <summary>
/// The sizes of one pooling: every window has at least one cell inside the image. x is [Images, H, W, Channels],
/// y is [Images, Oh, Ow, Channels].
/// </summary>
public sealed record PoolingCase(int Images, Conv2DGeometry Geometry, int Channels)
{
    public int InputLength => Images * Geometry.InputPixels * Channels;

    public int OutputLength => Images * Geometry.OutputPixels * Channels;

    public override string ToString() =>
        $"n{Images} {Geometry.InputHeight}x{Geometry.InputWidth}x{Channels} {GeometryText.Of(Geometry)}";
}

internal static class GeometryText
{
    public static string Of(Conv2DGeometry geometry) =>
        $"k{geometry.KernelHeight}x{geometry.KernelWidth} s{geometry.StrideHeight}x{geometry.StrideWidth} " +
        $"d{geometry.DilationHeight}x{geometry.DilationWidth} " +
        $"pads {geometry.PadTop},{geometry.PadBottom},{geometry.PadLeft},{geometry.PadRight}";
}
