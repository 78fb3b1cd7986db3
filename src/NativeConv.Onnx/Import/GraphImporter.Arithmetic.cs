using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>Additions and multiplications: of tensors, which are layers of their own, and of constants, which normalize.</summary>
internal sealed partial class GraphImporter
{
    private void Arithmetic(NodeReader node)
    {
        string[] inputs = node.Node.Inputs;
        bool isSum = node.Operator == "Sum";
        if (inputs.Length != 2 && !(isSum && inputs.Length > 0))
            throw node.Broken($"it must have two inputs, but has {inputs.Length}");

        OnnxTensor?[] constants = [.. inputs.Select(_graph.Constant)];
        if (inputs.Length == 2 && constants[0] == null != (constants[1] == null))
        {
            bool isSecond = constants[0] == null;
            Affine(node, Value(node, isSecond ? 0 : 1), constants[isSecond ? 1 : 0]!, isSecond);
            return;
        }

        ImportedValue[] values = [.. inputs.Select(input => Value(node, input))];
        if (values.Length == 1)
            Define(node, values[0]);
        else if (node.Operator == "Mul")
            Multiply(node, values[0], values[1]);
        else if (node.Operator is "Add" or "Sum")
            Add(node, values);
        else
            throw node.Broken("the library adds and multiplies tensors, but does not subtract or divide them");
    }

    private void Add(NodeReader node, ImportedValue[] values)
    {
        ImportedValue first = values[0];
        if (!values.All(first.HasLayoutOf))
            throw node.Broken($"the library adds tensors of one shape, but these are {string.Join(" and ", values.Take(8).Select(Describe))}");

        Define(node, first.On(AddLayer(node, new Add(), [.. values.Select(value => value.Node)])));
    }

    private void Multiply(NodeReader node, ImportedValue a, ImportedValue b)
    {
        // An image times one value a channel, in either order.
        if (a.Layout == b.Layout && a.Layout != TensorLayout.Vector && a.Node.Shape.Pixels == 1 && b.Node.Shape.Pixels > 1)
            (a, b) = (b, a);

        bool isPerChannel = a.Layout == b.Layout && a.Layout != TensorLayout.Vector && b.Node.Shape == new ImageShape(1, 1, a.Node.Shape.Channels);
        if (!isPerChannel && !a.HasLayoutOf(b))
            throw node.Broken($"the library multiplies tensors of one shape, or images by one value a channel, but these are {Describe(a)} and {Describe(b)}");

        Define(node, a.On(AddLayer(node, new Multiply(), a.Node, b.Node)));
    }

    /// <summary>
    /// A tensor and a constant. One number is an input normalization, together with what follows of that kind; one number a channel is a depthwise convolution of one cell.
    /// </summary>
    private void Affine(NodeReader node, ImportedValue x, OnnxTensor constant, bool isSecond)
    {
        if (constant is not { Type: OnnxType.Float, Count: > 0 })
            throw node.Broken($"its constant '{constant.Name}' must be floats, but is of type {(int)constant.Type} and shape {constant.Shape}");

        if (constant.Count == 1 && constant.Dimensions.Length <= x.Rank)
        {
            (double factor, double offset) = Step(node, constant.Single(0), isSecond);
            OnnxNode last = node.Node;
            while (last.Outputs is [var output]
                && _graph.SoleReader(output) is { Operator: "Add" or "Sub" or "Mul" or "Div", Inputs: [var a, var b], Attributes: [] } next
                && !_activations.IsInside(next) && !_activations.TryGet(next, out _)
                && _graph.Constant(a == output ? b : a) is { Type: OnnxType.Float, Count: 1 } other && other.Dimensions.Length <= x.Rank)
            {
                (double nextFactor, double nextOffset) = Step(new(_file, next), other.Single(0), a == output);
                (factor, offset) = (factor * nextFactor, (offset * nextFactor) + nextOffset);
                _absorbed.Add(last = next);
            }

            Define(node, last, x.On(AddLayer(new(_file, last), new InputNormalization((float)factor, (float)-offset, 1), x.Node)));
            return;
        }

        if (x.Layout == TensorLayout.Vector || !IsPerChannel(constant, x.ChannelAxis, x.Rank, x.Node.Shape.Channels))
            throw node.Broken($"a constant must be one number, or one a channel of images, but {constant.Shape} meets {Describe(x)}");

        bool isOffset = node.Operator is "Add" or "Sub";
        Node added = AddLayer(node, new DepthwiseConv2D(1) { UseBias = isOffset }, x.Node);
        Fill(node, added, "kernel", constant.Count, values => Each(values, value => (float)Step(node, value, isSecond).Factor));
        if (isOffset)
            Fill(node, added, "bias", constant.Count, values => Each(values, value => (float)Step(node, value, isSecond).Offset));

        Define(node, x.On(added));

        void Each(Span<float> values, Func<float, float> of)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = of(constant.Single(i));
        }
    }

    /// <summary>What an operator with a constant does: x * factor + offset.</summary>
    private static (double Factor, double Offset) Step(NodeReader node, float constant, bool isSecond) => node.Operator switch
    {
        "Add" or "Sum" => (1, constant),
        "Sub" => isSecond ? (1, -constant) : (-1, constant),
        "Mul" => (constant, 0),
        "Div" when isSecond => (1.0 / constant, 0),
        _ => throw node.Broken("the library does not divide by a tensor"),
    };
}
