namespace NativeConv.PeerBenchmarks.Layers;

internal enum LayerKind
{
    Depthwise,
    Pointwise,
    Dense,
}

/// <summary>A convolution to measure: square images and windows, padded by half a window all around as PyTorch's users do, no bias.</summary>
/// <param name="Kind">What kind it is.</param>
/// <param name="Size">Height and width of the input.</param>
/// <param name="Channels">Channels of the input.</param>
/// <param name="Filters">Channels of the output.</param>
/// <param name="Window">Rows and columns of taps.</param>
/// <param name="Stride">Cells between two outputs.</param>
/// <param name="Dilation">Cells between two taps.</param>
/// <param name="Batch">Images.</param>
internal sealed record LayerShape(LayerKind Kind, int Size, int Channels, int Filters, int Window, int Stride, int Dilation, int Batch)
{
    public int Pad => (Window - 1) * Dilation / 2;

    public Conv2DGeometry Geometry => new(Size, Size, Window, Stride, Dilation, Padding.Explicit(Pad, Pad, Pad, Pad));

    public int OutputSize => Geometry.OutputHeight;

    /// <summary>Groups as the peers count them.</summary>
    public int Groups => Kind == LayerKind.Depthwise ? Channels : 1;

    public int Multiplier => Filters / Channels;

    public int InputLength => Batch * Size * Size * Channels;

    public int OutputLength => Batch * OutputSize * OutputSize * Filters;

    public int WeightsLength => Window * Window * Channels / Groups * Filters;

    public override string ToString()
    {
        string window = Kind == LayerKind.Pointwise ? "" : $" {Window}x{Window}";
        string stride = Stride > 1 ? $" s{Stride}" : "", dilation = Dilation > 1 ? $" d{Dilation}" : "";
        string channels = Kind == LayerKind.Depthwise ? $"x{Channels}{(Multiplier > 1 ? $" m{Multiplier}" : "")}" : $" {Channels}->{Filters}";
        return $"{Kind.ToString().ToLowerInvariant()}{window}{stride}{dilation} {Size}x{Size}{channels}";
    }
}
