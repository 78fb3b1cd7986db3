using NativeConv.Kernels;

namespace NativeConv.Layers;

/// <summary>What the pooling layers share.</summary>
internal static class PoolingWindow
{
    public static Conv2DGeometry Geometry(ImageShape input, Size2D pool, Size2D stride, Padding padding)
    {
        var geometry = new Conv2DGeometry(input.Height, input.Width, pool, stride, 1, padding);
        PoolWindow.Validate(geometry);
        return geometry;
    }

    public static ImageShape OutputShape(ImageShape input, Size2D pool, Size2D stride, Padding padding)
    {
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
