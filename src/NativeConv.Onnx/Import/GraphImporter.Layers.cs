using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>The operators that are layers with weights or windows.</summary>
internal sealed partial class GraphImporter
{
    private void Convolution(NodeReader node)
    {
        ImportedValue x = Images(node);
        ImageShape input = x.Node.Shape;
        OnnxTensor weights = Weights(node, node.Input(1), "the kernel");
        if (weights.Dimensions.Length != 4)
            throw node.Broken($"the kernel must be [filters, channels/group, height, width], but is {weights.Shape}");

        int filters = (int)weights.Dimensions[0], channels = (int)weights.Dimensions[1], taps = weights.Count / filters / channels;
        var kernel = new Size2D((int)weights.Dimensions[2], (int)weights.Dimensions[3]);
        Size2D stride = node.Size("strides"), dilation = node.Size("dilations");
        long groups = node.Whole("group", 1);
        if (groups < 1 || channels * groups != input.Channels || filters % groups != 0)
            throw node.Broken($"a kernel of {weights.Shape} with {groups} groups does not fit images of {input.Channels} channels");

        if (node.Wholes("kernel_shape") is { } stated && !stated.SequenceEqual([kernel.Height, kernel.Width]))
            throw node.Broken($"kernel_shape must be the kernel's, {kernel}, but is [{string.Join(", ", stated.Take(8))}]");

        Padding padding = ReadPadding(node, input, kernel, stride, dilation, ceiling: false);
        (OnnxTensor? bias, OnnxNode last) = Bias(node, x.Layout, filters);
        bool useBias = bias != null, isPoint = kernel == 1 && stride == 1 && padding == Padding.Valid;
        Layer layer = groups == input.Channels && groups > 1
            ? new DepthwiseConv2D(kernel) { DepthMultiplier = filters / input.Channels, Stride = stride, Dilation = dilation, Padding = padding, UseBias = useBias }
            : isPoint && groups == 1
                ? new PointwiseConv2D(filters) { UseBias = useBias }
                : new Conv2D(filters, kernel) { Stride = stride, Dilation = dilation, Padding = padding, Groups = (int)groups, UseBias = useBias };
        Node added = AddLayer(node, layer, x.Node);
        Fill(node, added, "kernel", weights.Count, values =>
        {
            float[] from = new float[weights.Count];
            weights.CopyTo(from);
            WeightLayout.Reverse(from, filters, channels, taps, values);
        });
        if (bias != null)
            Fill(node, added, "bias", filters, bias.CopyTo);

        Define(node, last, x.On(added));
    }

    private void Gemm(NodeReader node)
    {
        ImportedValue x = Vectors(node);
        node.Ignore("broadcast");
        if (node.Truth("transA"))
            throw node.Broken("transA must be 0: images are rows");

        Dense(node, x, node.Truth("transB"), node.Number("alpha", 1), node.Number("beta", 1));
    }

    private void MatMul(NodeReader node) => Dense(node, Vectors(node), isTransposed: false, alpha: 1, beta: 1);

    private void Dense(NodeReader node, ImportedValue x, bool isTransposed, float alpha, float beta)
    {
        int inputs = x.Node.Shape.Length;
        OnnxTensor weights = Weights(node, node.Input(1), "the matrix");
        if (weights.Dimensions.Length != 2 || weights.Dimensions[isTransposed ? 1 : 0] != inputs)
            throw node.Broken($"a matrix of {weights.Shape} does not fit vectors of {inputs}");

        int units = (int)weights.Dimensions[isTransposed ? 0 : 1];
        (OnnxTensor? bias, OnnxNode last) = Bias(node, x.Layout, units);
        Node added = AddLayer(node, new Dense(units) { UseBias = bias != null }, x.Node);
        Fill(node, added, "kernel", weights.Count, values =>
        {
            float[] from = new float[weights.Count], rows = from;
            weights.CopyTo(from);
            if (isTransposed)
                WeightLayout.Reverse(from, units, 1, inputs, rows = new float[weights.Count]);

            int first = 0;
            foreach (ImageShape part in x.Parts)
            {
                WeightLayout.SwapRows(rows.AsSpan(first * units, part.Length * units), part.Channels, part.Pixels, units, values[(first * units)..]);
                first += part.Length;
            }

            Multiply(values, alpha);
        });
        if (bias != null)
        {
            Fill(node, added, "bias", units, values =>
            {
                if (bias.Count == 1)
                    values.Fill(bias.Single(0));
                else
                    bias.CopyTo(values);

                Multiply(values, beta);
            });
        }

        Define(node, last, ImportedValue.Vector(added, [added.Shape]));
    }

    private static void Multiply(Span<float> values, float factor)
    {
        foreach (ref float value in values)
            value *= factor;
    }

    /// <summary>A node's bias: its third input, or the constant that the only node to read it adds, which then is where the layer ends.</summary>
    private (OnnxTensor? Bias, OnnxNode Last) Bias(NodeReader node, TensorLayout layout, int channels)
    {
        int rank = layout == TensorLayout.Vector ? 2 : 4;
        if (node.Input(2).Length > 0)
        {
            OnnxTensor bias = Weights(node, node.Input(2), "the bias");
            bool fits = rank == 4
                ? bias.Dimensions is [var length] && length == channels
                : IsPerChannel(bias, 1, rank, channels) || (bias.Count == 1 && bias.Dimensions.Length <= rank);
            return fits ? (bias, node.Node) : throw node.Broken($"a bias of {bias.Shape} does not fit {channels} channels");
        }

        if (node.Node.Outputs is [var output, ..]
            && _graph.SoleReader(output) is { Operator: "Add", Inputs: [var a, var b], Attributes: [] } reader
            && !_activations.IsInside(reader) && _graph.Constant(a == output ? b : a) is { Type: OnnxType.Float } added && IsPerChannel(added, 1, rank, channels))
        {
            _absorbed.Add(reader);
            return (added, reader);
        }

        return (null, node.Node);
    }

    /// <summary>Whether a tensor, broadcast to a rank, has one value for each channel and no other dimension.</summary>
    private static bool IsPerChannel(OnnxTensor tensor, int channelAxis, int rank, int channels)
    {
        int first = rank - tensor.Dimensions.Length;
        if (first < 0 || first > channelAxis)
            return false;

        for (int axis = first; axis < rank; axis++)
        {
            if (tensor.Dimensions[axis - first] != (axis == channelAxis ? channels : 1))
                return false;
        }

        return true;
    }

    private void Normalization(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        if (x.Layout == TensorLayout.ChannelsLast)
            throw node.Broken("it needs images [N, channels, height, width] or vectors, but these are transposed");

        if (node.Truth("training_mode") || IsTraining(node))
            throw node.Broken("it normalizes by the batch's statistics; write the file for inference");

        if (node.Whole("spatial", 1) != 1)
            throw node.Broken("spatial must be 1");

        // ONNX' momentum is the weight of the old statistics. Rounding takes the error of the subtraction away: 1 - 0.9 is 0.1.
        var layer = new BatchNormalization { Epsilon = node.Number("epsilon", 1e-5f), Momentum = (float)Math.Round(1 - (double)node.Number("momentum", 0.9f), 7) };
        Node added = AddLayer(node, layer, x.Node);
        string[] parameters = ["gamma", "beta", "running_mean", "running_var"];
        for (int i = 0; i < parameters.Length; i++)
        {
            OnnxTensor values = Weights(node, node.Input(i + 1), parameters[i]);
            if (values.Dimensions is not [var length] || length != x.Node.Shape.Channels)
                throw node.Broken($"{parameters[i]} of {values.Shape} does not fit {x.Node.Shape.Channels} channels");

            Fill(node, added, parameters[i], length, to => InOrder(values, x, to));
        }

        Define(node, x.On(added));
    }

    /// <summary>One value a channel, in the node's order.</summary>
    private static void InOrder(OnnxTensor perChannel, ImportedValue x, Span<float> to)
    {
        float[] from = new float[perChannel.Count];
        perChannel.CopyTo(from);
        if (x.Layout != TensorLayout.Vector)
        {
            from.CopyTo(to);
            return;
        }

        int first = 0;
        foreach (ImageShape part in x.Parts)
        {
            WeightLayout.SwapRows(from.AsSpan(first, part.Length), part.Channels, part.Pixels, 1, to[first..]);
            first += part.Length;
        }
    }

    private void Pool(NodeReader node)
    {
        ImportedValue x = Images(node);
        if (node.Wholes("kernel_shape") == null)
            throw node.Broken("kernel_shape is missing");

        Size2D window = node.Size("kernel_shape"), stride = node.Size("strides");
        if (node.Size("dilations") != 1)
            throw node.Broken("a pooling window here has no dilation");

        node.Ignore("storage_order");
        Padding padding = ReadPadding(node, x.Node.Shape, window, stride, 1, ceiling: node.Truth("ceil_mode"));
        if (node.Truth("count_include_pad") && node.Wholes("pads") is { } pads && pads.Any(pad => pad != 0))
            throw node.Broken("an average here does not count padded cells, as count_include_pad = 1 asks for");

        Pooling2D layer = node.Operator == "MaxPool"
            ? new MaxPool2D(window) { Stride = stride, Padding = padding }
            : new AveragePool2D(window) { Stride = stride, Padding = padding };
        Define(node, x.On(AddLayer(node, layer, x.Node)));
    }

    private void GlobalAverage(NodeReader node, ImportedValue x, bool keepDimensions)
    {
        Node added = AddLayer(node, new GlobalAveragePool2D(), x.Node);
        Define(node, keepDimensions ? ImportedValue.Image(added, x.Layout) : ImportedValue.Vector(added, [added.Shape]));
    }

    private void ReduceMean(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        node.Ignore("noop_with_empty_axes");
        int[] axes = Axes(node, x.Rank), pixels = x.Layout == TensorLayout.ChannelsFirst ? [2, 3] : [1, 2];
        if (x.Layout == TensorLayout.Vector || !axes.SequenceEqual(pixels))
            throw node.Broken($"the library averages images over height and width, but this averages {Describe(x)} over axes [{string.Join(", ", axes)}]");

        GlobalAverage(node, x, node.Whole("keepdims", 1) != 0);
    }

    private void Concat(NodeReader node)
    {
        ImportedValue[] inputs = [.. node.Node.Inputs.Select(input => Value(node, input))];
        if (inputs.Length == 0)
            throw node.Broken("an input is missing");

        ImportedValue first = inputs[0];
        if (inputs.Any(input => input.Layout != first.Layout))
            throw node.Broken($"its inputs must have one layout, but are {string.Join(", ", inputs.Take(8).Select(Describe))}");

        if (Axis(node, node.Whole("axis", 1), first.Rank) != first.ChannelAxis)
            throw node.Broken($"the library joins channels, which lie along axis {first.ChannelAxis} of {Describe(first)}, but this joins axis {node.Whole("axis", 1)}");

        if (inputs.Length == 1)
        {
            Define(node, first);
            return;
        }

        if (inputs.Sum(input => input.Parts.Count) > MostParts)
            throw node.Broken($"it joins more than {MostParts} flattened images");

        Node added = AddLayer(node, new Concat(), [.. inputs.Select(input => input.Node)]);
        Define(node, first.Layout == TensorLayout.Vector ? ImportedValue.Vector(added, inputs.SelectMany(input => input.Parts)) : first.On(added));
    }

    private void Dropout(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        float rate = node.Number("ratio", 0.5f);
        node.Ignore("seed");
        if (node.Input(1).Length > 0)
            rate = _graph.Scalar(node.Input(1)) ?? throw node.Broken("the ratio must be a constant");

        bool isTraining = node.Input(2).Length > 0 && _graph.Constant(node.Input(2)) is not { Type: OnnxType.Bool, Count: 1, Data.Span: [0] };
        if (isTraining || IsTraining(node))
            throw node.Broken("it drops values; write the file for inference");

        Define(node, x.On(AddLayer(node, new Dropout(rate), x.Node)));
    }

    /// <summary>Whether an operator of a set below 7 trains, which it does unless told otherwise; later ones have no such attribute.</summary>
    private bool IsTraining(NodeReader node) => node.Whole("is_test", _onnx.Opset < 7 ? 0 : 1) == 0;

    private static Padding ReadPadding(NodeReader node, ImageShape input, Size2D window, Size2D stride, Size2D dilation, bool ceiling)
    {
        IReadOnlyList<long>? pads = node.Wholes("pads");
        string mode = node.Text("auto_pad", "NOTSET");
        switch (mode)
        {
            case "NOTSET":
                break;
            case "VALID":
                return Padding.Valid;
            case "SAME_UPPER":
                return Padding.Same;
            case "SAME_LOWER":
                // As SAME_UPPER, with the odd cell at the top and left.
                var same = new Conv2DGeometry(input.Height, input.Width, window, stride, dilation, Padding.Same);
                return Padding.Explicit(same.PadBottom, same.PadTop, same.PadRight, same.PadLeft);
            default:
                throw node.Broken($"auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, but is '{mode}'");
        }

        if (pads is not (null or [>= 0 and <= int.MaxValue, >= 0 and <= int.MaxValue, >= 0 and <= int.MaxValue, >= 0 and <= int.MaxValue]))
            throw node.Broken($"pads must be four numbers that are not negative, but are [{string.Join(", ", pads.Take(8))}]");

        (int top, int left, int bottom, int right) = pads == null ? (0, 0, 0, 0) : ((int)pads[0], (int)pads[1], (int)pads[2], (int)pads[3]);
        if (ceiling)
        {
            bottom = After(input.Height, window.Height, stride.Height, top, bottom);
            right = After(input.Width, window.Width, stride.Width, left, right);
        }

        return (top, left, bottom, right) == (0, 0, 0, 0) ? Padding.Valid : Padding.Explicit(top, bottom, left, right);
    }

    /// <summary>The padding after an axis with which a window that would reach beyond it has a place, unless all of that window lies in the padding.</summary>
    private static int After(int input, int window, int stride, int before, int after)
    {
        long room = (long)input + before + after - window, windows = ((room + stride - 1) / stride) + 1;
        if ((windows - 1) * stride >= (long)input + before)
            windows--;

        return checked((int)Math.Max(after, ((windows - 1) * stride) + window - input - before));
    }
}
