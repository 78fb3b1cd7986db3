using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Export;

/// <summary>Makes an ONNX graph of a model's, node by node: images [N, H, W, C] become [N, C, H, W], and weights are transposed with them.</summary>
internal sealed class GraphExporter
{
    private const int IrVersion = 8, Opset = 17;

    /// <summary>Protocol Buffers allow a message 2 GiB; what is not weights gets the last 64 MiB.</summary>
    private const long MostWeightBytes = (1L << 31) - (1 << 26);

    private readonly OnnxModel _onnx = new() { IrVersion = IrVersion, Opset = Opset, ProducerName = "NativeConv", GraphName = "model" };
    private readonly Dictionary<Node, ExportedValue> _values = [];
    private readonly Dictionary<string, string> _vectors = [], _images = [];
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly HashSet<string> _names;

    private GraphExporter(Model model)
    {
        _parameters = model.Parameters.ToDictionary(parameter => parameter.Name);
        _names = [.. model.Nodes.Select(node => node.Name)];
    }

    /// <exception cref="ArgumentException">The model holds a layer that ONNX has no operator for, or more weights than a file can.</exception>
    public static OnnxModel Export(Model model)
    {
        long bytes = model.Parameters.Sum(parameter => sizeof(float) * (long)parameter.Value.Length);
        if (bytes > MostWeightBytes)
            throw new ArgumentException($"An ONNX file holds at most {MostWeightBytes} bytes of weights, but the model has {bytes}.", nameof(model));

        var exporter = new GraphExporter(model);
        foreach (Node node in model.Nodes)
            exporter._values.Add(node, exporter.Export(node));

        exporter.Finish(model);
        return exporter._onnx;
    }

    private ExportedValue Export(Node node) => node.Layer switch
    {
        InputLayer => new(node.Name, node.Shape),
        InputNormalization layer => Normalize(node, layer),
        Conv2D layer => Convolution(node, layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding, layer.Groups),
        PointwiseConv2D => Convolution(node, 1, 1, 1, Padding.Valid, 1),
        DepthwiseConv2D layer => Convolution(node, layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding, node.Inputs[0].Shape.Channels),
        Dense => Matrix(node),
        BatchNormalization layer => Normalize(node, layer),
        ActivationLayer layer => Activate(node, layer.Function),
        MaxPool2D layer => Pool(node, layer, "MaxPool"),
        AveragePool2D layer => Pool(node, layer, "AveragePool"),
        GlobalAveragePool2D => Emit(node, "GlobalAveragePool", [AsImage(node.Inputs[0])], node.Shape),
        Flatten => _values[node.Inputs[0]],
        Dropout layer => Emit(node, "Dropout", [_values[node.Inputs[0]].Name, Scalar(node, "ratio", layer.Rate)], _values[node.Inputs[0]].Image),
        Add => Combine(node, node.Inputs.Count == 2 ? "Add" : "Sum"),
        Multiply when node.Inputs[0].Shape != node.Inputs[1].Shape => Emit(node, "Mul", [AsImage(node.Inputs[0]), AsImage(node.Inputs[1])], node.Shape),
        Multiply => Combine(node, "Mul"),
        Concat => Concatenate(node),
        _ => throw new ArgumentException($"The model cannot be written as ONNX: node '{node.Name}' is of kind '{node.Layer.Kind}', which has no ONNX operator.", "model"),
    };

    private ExportedValue Normalize(Node node, InputNormalization layer)
    {
        ExportedValue x = _values[node.Inputs[0]];
        string scaled = Emit(Unique(node.Name + "_scale"), "Mul", [x.Name, Scalar(node, "factor", layer.Scale / layer.Deviation)]);
        return Emit(node, "Add", [scaled, Scalar(node, "offset", -layer.Mean / layer.Deviation)], x.Image);
    }

    private ExportedValue Convolution(Node node, Size2D kernel, Size2D stride, Size2D dilation, Padding padding, int groups)
    {
        ImageShape input = node.Inputs[0].Shape;
        int filters = node.Shape.Channels, taps = kernel.Height * kernel.Width, channels = input.Channels / groups;
        Parameter weights = _parameters[node.Name + ".kernel"];
        float[] values = new float[weights.Value.Length];
        WeightLayout.Reverse(weights.Value.Span, taps, channels, filters, values);
        string name = Store(OnnxTensor.Of(Unique(weights.Name), values, filters, channels, kernel.Height, kernel.Width));
        OnnxAttribute[] attributes =
        [
            .. Window(new(input.Height, input.Width, kernel, stride, dilation, padding)),
            OnnxAttribute.Of("dilations", dilation.Height, dilation.Width), OnnxAttribute.Of("group", groups),
        ];
        return Emit(node, "Conv", [AsImage(node.Inputs[0]), name, .. Bias(node)], node.Shape, attributes);
    }

    private ExportedValue Matrix(Node node)
    {
        ExportedValue x = _values[node.Inputs[0]];
        Parameter weights = _parameters[node.Name + ".kernel"];
        int inputs = weights.Shape[0], units = weights.Shape[1];
        ReadOnlySpan<float> kernel = weights.Value.Span;
        string vector = x.Name;
        if (x.Image is { } image)
        {
            float[] permuted = new float[kernel.Length];
            WeightLayout.SwapRows(kernel, image.Pixels, image.Channels, units, permuted);
            kernel = permuted;
            vector = Emit(Unique(node.Name + "_flat"), "Flatten", [x.Name]);
        }

        string name = Store(OnnxTensor.Of(Unique(weights.Name), kernel, inputs, units));
        return Emit(node, "Gemm", [vector, name, .. Bias(node)], null);
    }

    private ExportedValue Normalize(Node node, BatchNormalization layer)
    {
        // A flattened image is normalized value by value, not channel by channel.
        ExportedValue x = _values[node.Inputs[0]];
        if (x.Image != node.Inputs[0].Shape)
            x = new(AsVector(node.Inputs[0]), null);

        string[] statistics = [.. ((string[])["gamma", "beta", "running_mean", "running_var"]).Select(name => Store(_parameters[$"{node.Name}.{name}"]))];
        return Emit(
            node, "BatchNormalization", [x.Name, .. statistics], x.Image, OnnxAttribute.Of("epsilon", layer.Epsilon), OnnxAttribute.Of("momentum", 1 - layer.Momentum));
    }

    private ExportedValue Activate(Node node, Activation function)
    {
        ExportedValue x = _values[node.Inputs[0]];
        ExportedValue Apply(string type, params OnnxAttribute[] attributes) => Emit(node, type, [x.Name], x.Image, attributes);
        switch (function)
        {
            case Activation.Linear:
                return Apply("Identity");
            case Activation.ReLU:
                return Apply("Relu");
            case Activation.ReLU6:
                return Emit(node, "Clip", [x.Name, Scalar(node, "least", 0), Scalar(node, "most", 6)], x.Image);
            case Activation.LeakyReLU:
                return Apply("LeakyRelu", OnnxAttribute.Of("alpha", 0.01f));
            case Activation.Elu:
                return Apply("Elu", OnnxAttribute.Of("alpha", 1f));
            case Activation.Sigmoid:
                return Apply("Sigmoid");
            case Activation.Tanh:
                return Apply("Tanh");
            case Activation.SiLU:
                string gate = Emit(Unique(node.Name + "_gate"), "Sigmoid", [x.Name]);
                return Emit(node, "Mul", [x.Name, gate], x.Image);
            case Activation.HardSwish:
                return Apply("HardSwish");
            case Activation.HardSigmoid:
                return Apply("HardSigmoid", OnnxAttribute.Of("alpha", 1 / 6f), OnnxAttribute.Of("beta", 0.5f));
            case Activation.Gelu:
                // x / 2 * (1 + erf(x / sqrt 2)): the operator Gelu is younger than this operator set.
                string scaled = Emit(Unique(node.Name + "_scaled"), "Div", [x.Name, Scalar(node, "root", MathF.Sqrt(2))]);
                string error = Emit(Unique(node.Name + "_erf"), "Erf", [scaled]);
                string sum = Emit(Unique(node.Name + "_sum"), "Add", [error, Scalar(node, "one", 1)]);
                string twice = Emit(Unique(node.Name + "_twice"), "Mul", [x.Name, sum]);
                return Emit(node, "Mul", [twice, Scalar(node, "half", 0.5f)], x.Image);
            default:
                throw new ArgumentException($"The model cannot be written as ONNX: node '{node.Name}' applies {function}, which has no ONNX operator.", "model");
        }
    }

    private ExportedValue Pool(Node node, Pooling2D layer, string type)
    {
        ImageShape input = node.Inputs[0].Shape;
        return Emit(node, type, [AsImage(node.Inputs[0])], node.Shape, Window(new(input.Height, input.Width, layer.PoolSize, layer.Stride, 1, layer.Padding)));
    }

    /// <summary>An operator on tensors of one shape, whatever their layout, as long as it is one.</summary>
    private ExportedValue Combine(Node node, string type)
    {
        ExportedValue first = _values[node.Inputs[0]];
        return node.Inputs.All(input => _values[input].Image == first.Image)
            ? Emit(node, type, [.. node.Inputs.Select(input => _values[input].Name)], first.Image)
            : Emit(node, type, [.. node.Inputs.Select(AsVector)], null);
    }

    private ExportedValue Concatenate(Node node)
    {
        bool vectors = node.Inputs.Any(input => _values[input].Image != input.Shape);
        return Emit(node, "Concat", [.. node.Inputs.Select(input => vectors ? AsVector(input) : AsImage(input))], vectors ? null : node.Shape, OnnxAttribute.Of("axis", 1));
    }

    /// <summary>The node's output as images [N, C, H, W] of its shape.</summary>
    private string AsImage(Node node)
    {
        if (_values[node].Image == node.Shape)
            return _values[node].Name;

        string vector = AsVector(node);
        if (!_images.TryGetValue(vector, out string? image))
            _images.Add(vector, image = Emit(Unique(vector + "_image"), "Unsqueeze", [vector, Store(OnnxTensor.Of(Unique(vector + "_axes"), [2, 3]))]));

        return image;
    }

    /// <summary>The node's output as vectors [N, L] in height, width, channel order.</summary>
    private string AsVector(Node node)
    {
        (string name, ImageShape? form) = _values[node];
        if (form is not { } image)
            return name;

        if (_vectors.TryGetValue(name, out string? vector))
            return vector;

        string ordered = image.Pixels > 1 && image.Channels > 1
            ? Emit(Unique(name + "_nhwc"), "Transpose", [name], OnnxAttribute.Of("perm", 0, 2, 3, 1))
            : name;
        _vectors.Add(name, vector = Emit(Unique(name + "_vector"), "Flatten", [ordered]));
        return vector;
    }

    /// <summary>Names the output, says what goes in and comes out, and adds the class names.</summary>
    private void Finish(Model model)
    {
        Node last = model.Nodes[^1];
        bool isVector = last.Shape.Pixels == 1;
        string output = isVector ? AsVector(last) : AsImage(last);
        if (model.Nodes.Count == 1 && !isVector)
            output = Emit(Unique("identity"), "Identity", [output]);

        string named = Unique("output");
        foreach (OnnxNode node in _onnx.Nodes)
        {
            node.Inputs.AsSpan().Replace(output, named);
            node.Outputs.AsSpan().Replace(output, named);
        }

        _onnx.Inputs.Add(Information(model.Nodes[0].Name, model.InputShape, isVector: false));
        _onnx.Outputs.Add(Information(named, last.Shape, isVector));
        if (model.ClassNames.Count > 0)
            _onnx.Metadata.Add(ClassNames.Key, ClassNames.Write(model.ClassNames));
    }

    private static OnnxValueInfo Information(string name, ImageShape shape, bool isVector)
    {
        var images = new OnnxDimension(0, "N");
        return new(name, OnnxType.Float, isVector ? [images, new(shape.Channels)] : [images, new(shape.Channels), new(shape.Height), new(shape.Width)]);
    }

    /// <summary>The attributes of a window, with no more padding than it reaches: a runtime may refuse pads as large as the window.</summary>
    private static OnnxAttribute[] Window(Conv2DGeometry g)
    {
        int bottom = Math.Max(0, ((g.OutputHeight - 1) * g.StrideHeight) + ((g.KernelHeight - 1) * g.DilationHeight) + 1 - g.InputHeight - g.PadTop);
        int right = Math.Max(0, ((g.OutputWidth - 1) * g.StrideWidth) + ((g.KernelWidth - 1) * g.DilationWidth) + 1 - g.InputWidth - g.PadLeft);
        return
        [
            OnnxAttribute.Of("kernel_shape", g.KernelHeight, g.KernelWidth), OnnxAttribute.Of("strides", g.StrideHeight, g.StrideWidth),
            OnnxAttribute.Of("pads", g.PadTop, g.PadLeft, bottom, right),
        ];
    }

    private string[] Bias(Node node) => _parameters.TryGetValue(node.Name + ".bias", out Parameter? bias) ? [Store(bias)] : [];

    private string Scalar(Node node, string role, float value) => Store(OnnxTensor.Of(Unique($"{node.Name}.{role}"), [value]));

    private string Store(Parameter vector) => Store(OnnxTensor.Of(Unique(vector.Name), vector.Value.Span, vector.Value.Length));

    private string Store(OnnxTensor tensor)
    {
        _onnx.Initializers.Add(tensor);
        return tensor.Name;
    }

    private ExportedValue Emit(Node node, string type, string[] inputs, ImageShape? image, params OnnxAttribute[] attributes) =>
        new(Emit(node.Name, type, inputs, attributes), image);

    /// <summary>Adds an operator whose output has its name.</summary>
    private string Emit(string name, string type, string[] inputs, params OnnxAttribute[] attributes)
    {
        _onnx.Nodes.Add(new() { Operator = type, Name = name, Inputs = inputs, Outputs = [name], Attributes = attributes });
        return name;
    }

    private string Unique(string name)
    {
        string unique = name;
        for (int i = 1; !_names.Add(unique); i++)
            unique = $"{name}_{i}";

        return unique;
    }
}
