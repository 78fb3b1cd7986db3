using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv;

/// <summary>What <see cref="MaxPool2D"/> and <see cref="AveragePool2D"/> share: a window that moves over each channel by itself.</summary>
public abstract class Pooling2D : Layer
{
    private protected Pooling2D(Size2D poolSize)
    {
        PoolSize = poolSize;
        Stride = poolSize;
    }

    /// <summary>Rows and columns of the window.</summary>
    public Size2D PoolSize { get; }

    /// <summary>Cells between two windows; the window's size unless set.</summary>
    public Size2D Stride { get; init; }

    /// <summary>The padding; <see cref="Padding.Valid"/> unless set.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    internal override bool IsTransparentToInitializer => true;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        Conv2DGeometry geometry = Geometry(inputs[0]);
        return new(geometry.OutputHeight, geometry.OutputWidth, inputs[0].Channels);
    }

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => Windows.Of(PoolSize, Stride, 1);

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.SetSize("pool", PoolSize);
        configuration.SetSize("stride", Stride);
        configuration.SetPadding("padding", Padding);
    }

    private protected Conv2DGeometry Geometry(ImageShape input)
    {
        var geometry = new Conv2DGeometry(input.Height, input.Width, PoolSize, Stride, 1, Padding);
        PoolWindow.Validate(geometry);
        return geometry;
    }
}
