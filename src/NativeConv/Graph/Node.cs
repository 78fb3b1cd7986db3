namespace NativeConv;

/// <summary>A layer's place in a graph: which nodes it reads, and the shape of what it writes for one image.</summary>
public sealed class Node
{
    internal Node(int index, string name, Layer layer, Node[] inputs, ImageShape shape)
    {
        Index = index;
        Name = name;
        Layer = layer;
        Inputs = inputs;
        Shape = shape;
    }

    /// <summary>Its name, unique in the graph, as <c>conv2d_1</c>.</summary>
    public string Name { get; }

    /// <summary>The layer.</summary>
    public Layer Layer { get; }

    /// <summary>The nodes it reads, in the order the layer takes them.</summary>
    public IReadOnlyList<Node> Inputs { get; }

    /// <summary>The shape of its output for one image.</summary>
    public ImageShape Shape { get; }

    /// <summary>Its position: every node stands after those it reads.</summary>
    internal int Index { get; }

    internal ImageShape[] InputShapes() => [.. Inputs.Select(input => input.Shape)];

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape}";
}
