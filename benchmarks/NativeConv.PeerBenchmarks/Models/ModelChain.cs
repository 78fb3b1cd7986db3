namespace NativeConv.PeerBenchmarks.Models;

/// <summary>Reads a model, whose nodes each read the one before, for the peers to follow.</summary>
internal static class ModelChain
{
    /// <summary>The nodes that compute. The input's normalization is not among them: the peers get images that are normalized already.</summary>
    /// <exception cref="PeerException">The model is no chain.</exception>
    public static IEnumerable<Node> Of(Model model)
    {
        for (int i = 1; i < model.Nodes.Count; i++)
        {
            Node node = model.Nodes[i];
            if (node.Inputs is not [Node before] || before != model.Nodes[i - 1])
                throw new PeerException($"'{node.Name}' does not read the node before it alone.");

            if (node.Layer is not InputNormalization)
                yield return node;
        }
    }

    /// <summary>What a model computes from images before its first layer.</summary>
    public static Tensor Normalize(Model model, Tensor images)
    {
        var normalized = Tensor.From(images.Span, images.Shape.ToArray());
        foreach (InputNormalization layer in model.Nodes.Select(node => node.Layer).OfType<InputNormalization>())
        {
            foreach (ref float value in normalized.Span)
                value = ((value * layer.Scale) - layer.Mean) / layer.Deviation;
        }

        return normalized;
    }

    public static Span<float> Values(Model model, Node node, string parameter) => model.Parameter($"{node.Name}.{parameter}").Value.Span;

    /// <summary>A dense layer's kernel by the image it reads, [h, w, c, units].</summary>
    public static Tensor DenseKernel(Model model, Node node)
    {
        Node image = node.Inputs[0];
        while (image.Layer is Flatten)
            image = image.Inputs[0];

        return Tensor.From(Values(model, node, "kernel"), image.Shape.Height, image.Shape.Width, image.Shape.Channels, node.Shape.Channels);
    }

    /// <summary>The pads of a window that is padded alike on both sides.</summary>
    /// <exception cref="PeerException">It is not.</exception>
    public static (int Height, int Width) Pads(Node node, Conv2DGeometry geometry) => geometry.PadTop == geometry.PadBottom && geometry.PadLeft == geometry.PadRight
        ? (geometry.PadTop, geometry.PadLeft)
        : throw new PeerException($"'{node.Name}' is not padded alike on both sides, which the peers' layers cannot do.");

    /// <summary>The error of a layer that no peer gets.</summary>
    public static PeerException Unknown(Node node) => new($"'{node.Name}' is a {node.Layer.Kind}, which is not made for the peers yet.");
}
