namespace NativeConv.Serialization;

/// <summary>How PyTorch lays out the parameters of one layer.</summary>
internal sealed class PyTorchLayout
{
    private readonly Layer _layer;

    /// <summary>Where PyTorch keeps each value of the vector that the layer reads; null where both orders are the same.</summary>
    private readonly int[]? _inputOrder;

    private PyTorchLayout(Layer layer, int[]? inputOrder)
    {
        _layer = layer;
        _inputOrder = inputOrder;
    }

    /// <summary>The layouts of a model's nodes. A vector that was flattened stays in PyTorch's order until a layer mixes its values.</summary>
    public static PyTorchLayout[] Of(Model model)
    {
        var layouts = new PyTorchLayout[model.Nodes.Count];
        int[]?[] orders = new int[]?[model.Nodes.Count];
        foreach (Node node in model.Nodes)
        {
            int[]? first = node.Inputs.Count == 0 ? null : orders[node.Inputs[0].Index];
            orders[node.Index] = node.Layer switch
            {
                Flatten => first ?? ChannelsFirst(node.Inputs[0].Shape),
                Concat => Concatenated(node, orders),
                ActivationLayer or Dropout or BatchNormalization or Add or Multiply => first,
                _ => null,
            };

            // A dense layer flattens what it reads itself.
            layouts[node.Index] = new(node.Layer, node.Layer is Dense ? first ?? ChannelsFirst(node.Inputs[0].Shape) : first);
        }

        return layouts;
    }

    /// <summary>The shape that a parameter has in PyTorch.</summary>
    public long[] ShapeOf(Parameter parameter)
    {
        TensorShape ours = parameter.Shape;
        return (_layer, ours.Rank) switch
        {
            (DepthwiseConv2D, 4) => [ours[2] * ours[3], 1, ours[0], ours[1]],
            (_, 4) => [ours[3], ours[2], ours[0], ours[1]],
            (_, 2) => [ours[1], ours[0]],
            _ => WeightTransfer.Dimensions(ours),
        };
    }

    /// <summary>Writes a parameter's values, given in PyTorch's order, in ours.</summary>
    public void Transpose(Parameter parameter, ReadOnlySpan<float> theirs, Span<float> ours)
    {
        TensorShape shape = parameter.Shape;
        if (shape.Rank == 4)
        {
            // A depthwise kernel's channels and multiplier are one dimension in both.
            (int taps, int inputs, int outputs) = _layer is DepthwiseConv2D ? (shape[0] * shape[1], 1, shape[2] * shape[3]) : (shape[0] * shape[1], shape[2], shape[3]);
            for (int output = 0; output < outputs; output++)
            {
                for (int input = 0; input < inputs; input++)
                {
                    for (int tap = 0; tap < taps; tap++)
                        ours[(((tap * inputs) + input) * outputs) + output] = theirs[(((output * inputs) + input) * taps) + tap];
                }
            }
        }
        else if (shape.Rank == 2)
        {
            (int inputs, int outputs) = (shape[0], shape[1]);
            for (int input = 0; input < inputs; input++)
            {
                int column = _inputOrder == null ? input : _inputOrder[input];
                for (int output = 0; output < outputs; output++)
                    ours[(input * outputs) + output] = theirs[(output * inputs) + column];
            }
        }
        else
        {
            // A normalization of a flattened vector has its values in the vector's order.
            bool reordered = _inputOrder != null && _layer is BatchNormalization;
            for (int i = 0; i < ours.Length; i++)
                ours[i] = theirs[reordered ? _inputOrder![i] : i];
        }
    }

    /// <summary>For each value of an image in rows, columns, channels: its place in channels, rows, columns.</summary>
    private static int[]? ChannelsFirst(ImageShape shape)
    {
        if (shape.Pixels == 1 || shape.Channels == 1)
            return null;

        int[] order = new int[shape.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = (i % shape.Channels * shape.Pixels) + (i / shape.Channels);

        return order;
    }

    private static int[]? Concatenated(Node node, int[]?[] orders)
    {
        if (node.Inputs.All(input => orders[input.Index] == null))
            return null;

        var order = new List<int>(node.Shape.Length);
        foreach (Node input in node.Inputs)
        {
            int start = order.Count;
            order.AddRange((orders[input.Index] ?? Enumerable.Range(0, input.Shape.Length)).Select(place => start + place));
        }

        return [.. order];
    }
}
