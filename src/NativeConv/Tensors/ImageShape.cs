namespace NativeConv;

/// <summary>The shape of one image, or of one node's output for one image: height, width, channels. A vector is 1 x 1 x its length.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Channels">Values a pixel.</param>
public readonly record struct ImageShape(int Height, int Width, int Channels)
{
    /// <summary>Pixels: height times width.</summary>
    public int Pixels => Height * Width;

    /// <summary>Floats: height times width times channels.</summary>
    public int Length => Height * Width * Channels;

    /// <summary>The shape as <c>28x28x1</c>.</summary>
    public override string ToString() => $"{Height}x{Width}x{Channels}";
}
