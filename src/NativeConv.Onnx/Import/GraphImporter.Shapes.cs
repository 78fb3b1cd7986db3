using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>The operators that change a tensor's dimensions, and the arithmetic with sizes that exporters leave around them.</summary>
internal sealed partial class GraphImporter
{
    /// <summary>Stands for the batch's size among sizes.</summary>
    private const long Batch = long.MinValue;

    /// <summary>Sizes that a list of them has at most, and flattened images that a vector is made of at most: what repeats itself must not grow without bound.</summary>
    private const int MostSizes = 8, MostParts = 64;

    private readonly Dictionary<string, long[]> _sizes = new(StringComparer.Ordinal);

    private void Flatten(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        if (Axis(node, node.Whole("axis", 1), x.Rank) != 1)
            throw node.Broken($"the library flattens images, which is axis 1, but this has axis {node.Whole("axis", 1)}");

        Define(node, AsVector(node, x));
    }

    private ImportedValue AsVector(NodeReader node, ImportedValue x)
    {
        if (x.Layout == TensorLayout.Vector)
            return x;

        ImageShape shape = x.Node.Shape;
        return ImportedValue.Vector(
            shape.Pixels == 1 ? x.Node : AddLayer(node, new Flatten(), x.Node), [x.Layout == TensorLayout.ChannelsFirst ? shape : new(1, 1, shape.Length)]);
    }

    private void Reshape(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        long[] target = Sizes(node.Input(1)) ?? throw node.Broken("the new shape must be constant but for the batch");
        if (node.Truth("allowzero"))
            throw node.Broken("allowzero must be 0");

        // A 0 keeps a dimension, and -1 takes what is left.
        long[] from = [Batch, .. x.Dimensions];
        long[] to = [.. target.Select((size, axis) => size == 0 && axis < from.Length ? from[axis] : size)];
        if (to.Length > 0 && (to[0] == _fixedBatch || (to[0] == -1 && !to.Skip(1).Contains(-1))))
            to[0] = Batch;

        if (to is [Batch, ..] && to.Count(size => size == -1) == 1)
        {
            long rest = to.Skip(1).Where(size => size != -1).Aggregate(1L, (product, size) => size > 0 && product <= int.MaxValue ? product * size : long.MaxValue);
            if (x.Node.Shape.Length % rest == 0)
                to[Array.IndexOf(to, -1)] = x.Node.Shape.Length / rest;
        }

        if (to.SequenceEqual(from))
            Define(node, x);
        else if (to.SequenceEqual([Batch, x.Node.Shape.Length]))
            Define(node, AsVector(node, x));
        else if (to.SequenceEqual([Batch, x.Node.Shape.Length, 1, 1]) && x.Layout == TensorLayout.Vector)
            Define(node, AsImage(node, x, TensorLayout.ChannelsFirst));
        else
            throw node.Broken($"the library reshapes images to vectors, and vectors to images of one pixel, but this makes {Show(target)} of {Describe(x)}");
    }

    private ImportedValue AsImage(NodeReader node, ImportedValue vector, TensorLayout layout) => vector.IsInOrder
        ? ImportedValue.Image(vector.Node, layout)
        : throw node.Broken("a flattened image in channel, height, width order cannot become an image of one pixel");

    private void Squeeze(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        int[] axes = Axes(node, x.Rank), pixels = x.Layout == TensorLayout.ChannelsFirst ? [2, 3] : [1, 2];
        if (x.Layout == TensorLayout.Vector || x.Node.Shape.Pixels != 1 || !axes.SequenceEqual(pixels))
            throw node.Broken($"the library makes vectors of images of one pixel, but this takes axes [{string.Join(", ", axes)}] from {Describe(x)}");

        Define(node, AsVector(node, x));
    }

    private void Unsqueeze(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        int[] axes = Axes(node, 4);
        bool isFirst = axes is [2, 3];
        if (x.Layout != TensorLayout.Vector || !(isFirst || axes is [1, 2]))
            throw node.Broken($"the library makes images of one pixel of vectors, but this adds axes [{string.Join(", ", axes)}] to {Describe(x)}");

        Define(node, AsImage(node, x, isFirst ? TensorLayout.ChannelsFirst : TensorLayout.ChannelsLast));
    }

    private void Transpose(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        TensorLayout? layout = (x.Layout, node.Wholes("perm")) switch
        {
            (TensorLayout.ChannelsFirst, [0, 2, 3, 1]) => TensorLayout.ChannelsLast,
            (TensorLayout.ChannelsLast, [0, 3, 1, 2]) => TensorLayout.ChannelsFirst,
            (TensorLayout.ChannelsFirst or TensorLayout.ChannelsLast, [0, 1, 2, 3]) => x.Layout,
            _ => null,
        };
        if (layout == null)
        {
            throw node.Broken(
                "of transpositions only those between [N, channels, height, width] and [N, height, width, channels] are read, " +
                $"but this is {Show(node.Wholes("perm")?.Take(MostSizes) ?? [])} of {Describe(x)}");
        }

        Define(node, ImportedValue.Image(x.Node, layout.Value));
    }

    /// <summary>PyTorch writes a padding before every average pooling, one of nothing too.</summary>
    private void Pad(NodeReader node)
    {
        IReadOnlyList<long>? pads = node.Wholes("pads") ?? Sizes(node.Input(1));
        if (pads == null || pads.Any(pad => pad != 0))
            throw node.Broken("the library pads within convolutions and poolings, not by itself");

        node.Ignore("mode");
        node.Ignore("value");
        Define(node, Value(node, 0));
    }

    private void Shape(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        DefineSizes(node, [Batch, .. x.Dimensions]);
    }

    private void GatherSizes(NodeReader node)
    {
        long[] sizes = Sizes(node.Input(0))!, indices = Sizes(node.Input(1)) ?? throw node.Broken("the indices must be constant");
        if (node.Whole("axis", 0) != 0 || indices.Any(index => index < -sizes.Length || index >= sizes.Length))
            throw node.Broken($"{Show(sizes)} has no elements {Show(indices)}");

        DefineSizes(node, [.. indices.Select(index => sizes[index < 0 ? index + sizes.Length : index])]);
    }

    private void ConcatSizes(NodeReader node)
    {
        node.Ignore("axis");
        DefineSizes(node, [.. node.Node.Inputs.SelectMany(input => Sizes(input) ?? throw node.Broken($"'{input}' must be sizes, as its other inputs"))]);
    }

    private void UnsqueezeSize(NodeReader node)
    {
        if (!Axes(node, 1).SequenceEqual([0]))
            throw node.Broken("of sizes only one along axis 0 is read");

        DefineSizes(node, Sizes(node.Input(0))!);
    }

    private void DefineSizes(NodeReader node, long[] sizes)
    {
        if (node.Node.Outputs is not [{ Length: > 0 } output])
            throw node.Broken("it has no output");

        if (sizes.Length > MostSizes)
            throw node.Broken($"a shape here has at most {MostSizes} sizes");

        _sizes.Add(output, sizes);
    }

    /// <summary>Whether a tensor is sizes, constant or computed by the graph.</summary>
    private bool IsSizes(string tensor) => Sizes(tensor) != null;

    /// <summary>The whole numbers that a tensor is known to be, <see cref="Batch"/> among them; null where it is not.</summary>
    private long[]? Sizes(string tensor)
    {
        if (_sizes.TryGetValue(tensor, out long[]? sizes))
            return sizes;

        return _graph.Constant(tensor) is { Type: OnnxType.Int64, Count: <= MostSizes } constant
            ? [.. Enumerable.Range(0, constant.Count).Select(constant.Int64)]
            : null;
    }

    /// <summary>The axes of a node, an attribute in older operator sets and an input in newer ones, from the first on.</summary>
    private int[] Axes(NodeReader node, int rank)
    {
        IReadOnlyList<long> axes = node.Wholes("axes") ?? Sizes(node.Input(1)) ?? throw node.Broken("its axes must be given as constants");
        return [.. axes.Take(MostSizes).Select(axis => Axis(node, axis, rank)).Order()];
    }

    /// <summary>An axis, counted from the end where it is negative.</summary>
    private static int Axis(NodeReader node, long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw node.Broken($"an axis of {rank} dimensions must be {-rank} to {rank - 1}, but is {axis}");

    private static string Show(IEnumerable<long> sizes) => $"[{string.Join(", ", sizes.Select(size => size == Batch ? "N" : $"{size}"))}]";
}
