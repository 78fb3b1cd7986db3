namespace NativeConv.Layers;

/// <summary>What the pooling layers share.</summary>
internal static class Pooling
{
    public static Conv2DGeometry Geometry(ImageShape input, Size2D pool, Size2D stride, Padding padding)
    {
        var geometry = new Conv2DGeometry(input.Height, input.Width, pool, stride, 1, padding);
        // A window that sees padding alone has neither a maximum nor a mean.
        bool rowsSee = geometry.ValidRowTaps(0) != (0, 0) && geometry.ValidRowTaps(geometry.OutputHeight - 1) != (0, 0);
        bool columnsSee = geometry.ValidColumnTaps(0) != (0, 0) && geometry.ValidColumnTaps(geometry.OutputWidth - 1) != (0, 0);
        return rowsSee && columnsSee
            ? geometry
            : throw new ArgumentException($"A {pool} window with stride {stride} and padding {padding} would see nothing of an input of {input.Height}x{input.Width} at its edge.");
    }

    public static ImageShape OutputShape(ImageShape input, Size2D pool, Size2D stride, Padding padding)
    {
        if ((long)pool.Height * pool.Width > 256)
            throw new ArgumentException($"A window has at most 256 cells, but {pool} has more.");

        Conv2DGeometry geometry = Geometry(input, pool, stride, padding);
        return new(geometry.OutputHeight, geometry.OutputWidth, input.Channels);
    }

    public static void Describe(LayerConfiguration configuration, Size2D pool, Size2D stride, Padding padding)
    {
        configuration.SetSize("pool", pool);
        configuration.SetSize("stride", stride);
        configuration.SetPadding("padding", padding);
    }
}
