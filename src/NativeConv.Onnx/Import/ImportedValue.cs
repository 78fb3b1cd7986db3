using System.Diagnostics;

namespace NativeConv.Onnx.Import;

/// <summary>What an ONNX tensor is in the model: a node's output, and how the tensor's elements lie against the node's.</summary>
internal sealed class ImportedValue
{
    private ImportedValue(Node node, TensorLayout layout, IReadOnlyList<ImageShape> parts)
    {
        Debug.Assert(layout != TensorLayout.Vector || parts.Sum(part => (long)part.Length) == node.Shape.Length, "The parts are the vector.");
        Node = node;
        Layout = layout;
        Parts = parts;
    }

    public Node Node { get; }

    public TensorLayout Layout { get; }

    /// <summary>
    /// For a vector, the images that were flattened and joined to make it: each part lies in channel, height, width order in the tensor and in height, width,
    /// channel order in the node.
    /// </summary>
    public IReadOnlyList<ImageShape> Parts { get; }

    /// <summary>Whether a vector's elements lie in the tensor as in the node.</summary>
    public bool IsInOrder => Parts.All(IsOrdered);

    /// <summary>The tensor's dimensions after the first, which is the batch.</summary>
    public int[] Dimensions => Layout switch
    {
        TensorLayout.ChannelsFirst => [Node.Shape.Channels, Node.Shape.Height, Node.Shape.Width],
        TensorLayout.ChannelsLast => [Node.Shape.Height, Node.Shape.Width, Node.Shape.Channels],
        _ => [Node.Shape.Length],
    };

    public int Rank => Layout == TensorLayout.Vector ? 2 : 4;

    /// <summary>The dimension, counted from the batch as 0, that channels lie along; a vector's elements are its channels.</summary>
    public int ChannelAxis => Layout == TensorLayout.ChannelsLast ? 3 : 1;

    public static ImportedValue Image(Node node, TensorLayout layout) => new(node, layout, []);

    /// <summary>A vector of parts; neighbours that need no reordering become one.</summary>
    public static ImportedValue Vector(Node node, IEnumerable<ImageShape> parts)
    {
        var merged = new List<ImageShape>();
        foreach (ImageShape part in parts)
        {
            if (!IsOrdered(part))
                merged.Add(part);
            else if (merged.Count > 0 && IsOrdered(merged[^1]))
                merged[^1] = new(1, 1, merged[^1].Length + part.Length);
            else
                merged.Add(new(1, 1, part.Length));
        }

        return new(node, TensorLayout.Vector, merged);
    }

    /// <summary>The same tensor layout on another node of the same shape.</summary>
    public ImportedValue On(Node node) => new(node, Layout, Parts);

    public bool HasLayoutOf(ImportedValue other) => Layout == other.Layout && Node.Shape == other.Node.Shape && Parts.SequenceEqual(other.Parts);

    private static bool IsOrdered(ImageShape part) => part.Pixels == 1 || part.Channels == 1;
}
