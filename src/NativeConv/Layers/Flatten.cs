using NativeConv.Layers;

namespace NativeConv;

/// <summary>Lays an image out as a vector in height, width, channel order: [height, width, channels] to [1, 1, height*width*channels]. Nothing moves.</summary>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    public override string Kind => "flatten";

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => new(1, 1, inputs[0].Length);

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => ReceptiveWindow.Point;

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new AliasProgram(binding);
}
