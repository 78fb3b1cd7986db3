using System.Text.Json;
using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>Builds a model of an ONNX graph, node by node: tensors [N, C, H, W] become images [H, W, C], and weights are transposed with them.</summary>
internal sealed partial class GraphImporter
{
    /// <summary>The operator sets whose meaning of the operators below is known.</summary>
    private const int OldestOpset = 6, NewestOpset = 24;

    private readonly SourceFile _file;
    private readonly OnnxModel _onnx;
    private readonly WeightBudget _budget;
    private readonly GraphIndex _graph;
    private readonly PatternMatcher _activations;
    private readonly ModelBuilder _builder;
    private readonly Dictionary<string, ImportedValue> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Action<Span<float>>> _weights = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Nodes that became part of the layer of a node before them.</summary>
    private readonly HashSet<OnnxNode> _absorbed = [];

    /// <summary>The batch size that the file fixes; null where any will do.</summary>
    private long? _fixedBatch;

    private GraphImporter(SourceFile file, OnnxModel onnx)
    {
        if (onnx.Opset is < OldestOpset or > NewestOpset)
            throw file.Broken(0, $"operator sets {OldestOpset} to {NewestOpset} are read, but the model needs {onnx.Opset}");

        _file = file;
        _onnx = onnx;
        _budget = new(file.Bytes.Length);
        _graph = new(file, onnx, _budget);
        _activations = new(file, onnx.Nodes, _graph);
        _builder = ReadInput();
    }

    /// <exception cref="InvalidDataException">The graph is broken, or has what the library lacks.</exception>
    public static Model Import(SourceFile file, OnnxModel onnx)
    {
        var importer = new GraphImporter(file, onnx);
        foreach (OnnxNode node in onnx.Nodes)
        {
            var reader = new NodeReader(file, node);
            try
            {
                importer.Import(reader);
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)
            {
                throw reader.Broken(e.Message, e);
            }
        }

        return importer.Finish();
    }

    private ModelBuilder ReadInput()
    {
        OnnxValueInfo[] inputs = [.. _onnx.Inputs.Where(input => _graph.Constant(input.Name) == null)];
        if (inputs is not [var input])
            throw _file.Broken(0, $"a model has one input, but the graph has {inputs.Length} besides its weights");

        if (_graph.Writer(input.Name) is { } writer)
            throw new NodeReader(_file, writer).Broken($"it writes '{input.Name}', which is the input");

        if (input.Type != OnnxType.Float)
            throw _file.Broken(input.Offset, $"the input '{input.Name}' must be a tensor of floats, but is of type {(int)input.Type}");

        string shape = input.Dimensions == null ? "nothing is said of" : $"[{string.Join(", ", input.Dimensions.Take(8))}]";
        int[] sizes = input.Dimensions is { Count: 2 or 4 } dimensions
            ? [.. dimensions.Skip(1).Select(d => d is { Symbol: null, Length: >= 1 and <= int.MaxValue } ? (int)d.Length : 0)]
            : [0];
        if (sizes.Contains(0))
            throw _file.Broken(input.Offset, $"the input '{input.Name}' must be [N, channels, height, width] or [N, length], all but N fixed, but is {shape}");

        if (input.Dimensions![0] is { Symbol: null, Length: var batch })
            _fixedBatch = batch;

        bool isLast = sizes.Length == 3 && IsTransposedToChannelsFirst(input.Name);
        ImageShape image = sizes switch
        {
            [var length] => new(1, 1, length),
            [var height, var width, var channels] when isLast => new(height, width, channels),
            [var channels, var height, var width] => new(height, width, channels),
            _ => default,
        };
        try
        {
            var builder = new ModelBuilder(image.Height, image.Width, image.Channels);
            Node node = builder.Current;
            _names.Add(node.Name);
            _values.Add(input.Name, sizes.Length == 1
                ? ImportedValue.Vector(node, [node.Shape])
                : ImportedValue.Image(node, isLast ? TensorLayout.ChannelsLast : TensorLayout.ChannelsFirst));
            return builder;
        }
        catch (ArgumentException e)
        {
            throw _file.Broken(input.Offset, $"the input '{input.Name}' of {shape} is too large: {e.Message}", e);
        }
    }

    private void Import(NodeReader node)
    {
        if (_graph.IsConstant(node.Node) || _absorbed.Contains(node.Node) || _activations.IsInside(node.Node))
            return;

        if (node.Node.Domain.Length > 0)
            throw node.Broken("operators of this domain are not read");

        if (_activations.TryGet(node.Node, out (string Input, Activation Function) spelled))
        {
            Activate(node, Value(node, spelled.Input), spelled.Function);
            return;
        }

        switch (node.Operator)
        {
            case "Conv":
                Convolution(node);
                break;
            case "Gemm":
                Gemm(node);
                break;
            case "MatMul":
                MatMul(node);
                break;
            case "BatchNormalization":
                Normalization(node);
                break;
            case "MaxPool" or "AveragePool":
                Pool(node);
                break;
            case "GlobalAveragePool":
                GlobalAverage(node, Images(node), keepDimensions: true);
                break;
            case "ReduceMean":
                ReduceMean(node);
                break;
            case "Add" or "Sub" or "Mul" or "Div" or "Sum":
                Arithmetic(node);
                break;
            case "Concat" when IsSizes(node.Input(0)):
                ConcatSizes(node);
                break;
            case "Concat":
                Concat(node);
                break;
            case "Dropout":
                Dropout(node);
                break;
            case "Identity":
                Define(node, Value(node, 0));
                break;
            case "Flatten":
                Flatten(node);
                break;
            case "Reshape":
                Reshape(node);
                break;
            case "Squeeze":
                Squeeze(node);
                break;
            case "Unsqueeze" when IsSizes(node.Input(0)):
                UnsqueezeSize(node);
                break;
            case "Unsqueeze":
                Unsqueeze(node);
                break;
            case "Transpose":
                Transpose(node);
                break;
            case "Pad":
                Pad(node);
                break;
            case "Shape":
                Shape(node);
                break;
            case "Gather" when IsSizes(node.Input(0)):
                GatherSizes(node);
                break;
            case "Softmax" or "LogSoftmax":
                throw node.Broken("a model's output are logits, which PredictProbabilities makes probabilities of; write the file without this operator");
            default:
                Activate(node);
                break;
        }

        node.RequireAllKnown();
    }

    private void Activate(NodeReader node)
    {
        if (ActivationOperators.Find(node, _graph, out string? rule) is { } function)
            Activate(node, Value(node, 0), function);
        else
            throw node.Broken(rule == null ? "the library has no such operator" : $"of this operator the library has one form: {rule}");
    }

    private void Activate(NodeReader node, ImportedValue x, Activation function) => Define(node, x.On(AddLayer(node, new ActivationLayer(function), x.Node)));

    /// <summary>The value that a node reads.</summary>
    private ImportedValue Value(NodeReader node, int input) => Value(node, node.Input(input));

    private ImportedValue Value(NodeReader node, string tensor)
    {
        if (_values.TryGetValue(tensor, out ImportedValue? value))
            return value;

        throw node.Broken(
            tensor.Length == 0 ? "an input is missing"
            : _graph.Constant(tensor) != null ? $"its input '{tensor}' must not be a constant"
            : $"no node before it writes '{tensor}'");
    }

    /// <summary>The images [N, C, H, W] that a node reads.</summary>
    private ImportedValue Images(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        return x.Layout == TensorLayout.ChannelsFirst ? x : throw node.Broken($"it needs images [N, channels, height, width], but '{node.Input(0)}' are {Describe(x)}");
    }

    /// <summary>The vectors [N, L] that a node reads.</summary>
    private ImportedValue Vectors(NodeReader node)
    {
        ImportedValue x = Value(node, 0);
        return x.Layout == TensorLayout.Vector ? x : throw node.Broken($"it needs vectors [N, length], but '{node.Input(0)}' are {Describe(x)}");
    }

    private static string Describe(ImportedValue value)
    {
        string kind = value.Layout switch
        {
            TensorLayout.ChannelsFirst => "images",
            TensorLayout.ChannelsLast => "channels-last images",
            _ => "vectors",
        };
        return $"{kind} [N, {string.Join(", ", value.Dimensions)}]";
    }

    /// <summary>A constant of floats, with at least one.</summary>
    private OnnxTensor Weights(NodeReader node, string tensor, string what)
    {
        if (_graph.Constant(tensor) is not { } weights)
            throw node.Broken(tensor.Length == 0 ? $"{what} is missing" : $"{what} '{tensor}' must be a constant");

        return weights is { Type: OnnxType.Float, Count: > 0 }
            ? weights
            : throw node.Broken($"{what} '{tensor}' must be floats, but is of type {(int)weights.Type} and shape {weights.Shape}");
    }

    /// <summary>Adds a layer. It is named as PyTorch's module where its weights are, <c>features.0</c> for <c>features.0.weight</c>, and else as the node.</summary>
    private Node AddLayer(NodeReader node, Layer layer, params Node[] inputs)
    {
        const string Weight = ".weight";
        string weights = node.Input(1), given = weights.EndsWith(Weight, StringComparison.Ordinal) ? weights[..^Weight.Length] : node.Node.Name;
        if (string.IsNullOrWhiteSpace(given))
            given = layer.Kind;

        string name = given;
        while (!_names.Add(name))
            name = $"{given}_{_counts[given] = _counts.GetValueOrDefault(given) + 1}";

        return _builder.Layer(layer, inputs, name).Current;
    }

    /// <summary>Says how a parameter of the layer that was added last gets its values, and books its memory.</summary>
    private void Fill(NodeReader node, Node layer, string parameter, long length, Action<Span<float>> fill)
    {
        _budget.Take(length, node);
        _weights.Add($"{layer.Name}.{parameter}", fill);
    }

    /// <summary>Says what a node's first output is.</summary>
    private void Define(NodeReader node, ImportedValue value) => Define(node, node.Node, value);

    /// <summary>Says what the first output of a node is that became part of another's layer.</summary>
    private void Define(NodeReader node, OnnxNode last, ImportedValue value)
    {
        if (last.Outputs is not [{ Length: > 0 } output, ..])
            throw node.Broken("it has no output");

        _values.Add(output, value);
    }

    private Model Finish()
    {
        if (_onnx.Outputs is not [var output])
            throw _file.Broken(0, $"a model has one output, but the graph has {_onnx.Outputs.Count}");

        if (!_values.TryGetValue(output.Name, out ImportedValue? value))
            throw _file.Broken(output.Offset, $"no node writes the output '{output.Name}'");

        if (!value.IsInOrder)
        {
            throw _file.Broken(
                output.Offset, $"the output '{output.Name}' is a flattened image in channel, height, width order, which the library lacks; end with the image or a dense layer");
        }

        _builder.From(value.Node).ClassNames(ReadClassNames(value.Node.Shape.Length));
        Model model = _builder.Build();
        foreach (Parameter parameter in model.Parameters)
            _weights[parameter.Name](parameter.Value.Span);

        return model;
    }

    private string[] ReadClassNames(int outputs)
    {
        if (!_onnx.Metadata.TryGetValue(ClassNames.Key, out string? text))
            return [];

        try
        {
            string[] names = ClassNames.Read(text);
            return names.Length == outputs ? names : throw new InvalidOperationException($"There are {names.Length} for {outputs} outputs.");
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException)
        {
            throw _file.Broken(0, $"the class names in '{ClassNames.Key}' are wrong: {e.Message}", e);
        }
    }

    /// <summary>
    /// Whether an input is images [N, H, W, C], as TensorFlow's exporters write: it is transposed to [N, C, H, W] as it is or after some arithmetic.
    /// </summary>
    private bool IsTransposedToChannelsFirst(string tensor)
    {
        while (_graph.SoleReader(tensor) is { } reader)
        {
            if (reader.Operator == "Transpose")
                return new NodeReader(_file, reader).Wholes("perm") is [0, 3, 1, 2];

            if (reader is not { Operator: "Add" or "Sub" or "Mul" or "Div", Outputs: [var output] })
                return false;

            tensor = output;
        }

        return false;
    }
}
