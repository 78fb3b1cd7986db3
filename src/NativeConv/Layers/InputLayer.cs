using NativeConv.Layers;

namespace NativeConv;

/// <summary>Where images enter a graph: a batch [images, height, width, channels].</summary>
public sealed class InputLayer : Layer
{
    /// <summary>Describes an input.</summary>
    /// <param name="shape">The shape of one image.</param>
    /// <exception cref="ArgumentException">A dimension is not positive.</exception>
    public InputLayer(ImageShape shape)
    {
        if (shape.Height < 1 || shape.Width < 1 || shape.Channels < 1)
            throw new ArgumentException($"An image needs at least one row, column and channel, but its shape is {shape}.", nameof(shape));

        Shape = shape;
    }

    /// <inheritdoc/>
    public override string Kind => "input";

    /// <inheritdoc/>
    public override int InputCount => 0;

    /// <summary>The shape of one image.</summary>
    public ImageShape Shape { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => Shape;

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("height", Shape.Height);
        configuration.Set("width", Shape.Width);
        configuration.Set("channels", Shape.Channels);
    }

    internal static InputLayer From(LayerConfiguration configuration) =>
        new(new(configuration.Int32("height"), configuration.Int32("width"), configuration.Int32("channels")));

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new InputProgram(binding);
}
