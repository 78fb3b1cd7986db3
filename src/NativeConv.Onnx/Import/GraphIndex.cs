using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>A graph's constants, and who writes and reads each tensor.</summary>
internal sealed class GraphIndex
{
    private readonly Dictionary<string, OnnxTensor> _constants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxNode> _writers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<OnnxNode>> _readers = new(StringComparer.Ordinal);
    private readonly HashSet<OnnxNode> _constantNodes = [];
    private readonly HashSet<string> _outputs;
    private readonly WeightBudget _budget;

    /// <exception cref="InvalidDataException">A tensor has two writers, or a constant is broken.</exception>
    public GraphIndex(SourceFile file, OnnxModel model, WeightBudget budget)
    {
        _budget = budget;
        _outputs = [.. model.Outputs.Select(output => output.Name)];
        foreach (OnnxTensor tensor in model.Initializers)
        {
            if (!_constants.TryAdd(tensor.Name, tensor))
                throw file.Broken(tensor.Offset, $"there are two initializers named '{tensor.Name}'");
        }

        foreach (OnnxNode node in model.Nodes)
        {
            foreach (string output in node.Outputs)
            {
                if (output.Length > 0 && (_constants.ContainsKey(output) || !_writers.TryAdd(output, node)))
                    throw new NodeReader(file, node).Broken($"it writes '{output}', which is written elsewhere");
            }

            if (node is { Domain: "", Outputs: [{ Length: > 0 } name] } && Fold(new NodeReader(file, node)) is { } constant)
            {
                _constants.Add(name, constant);
                _constantNodes.Add(node);
                continue;
            }

            foreach (string input in node.Inputs)
            {
                if (!_readers.TryGetValue(input, out List<OnnxNode>? readers))
                    _readers.Add(input, readers = []);

                readers.Add(node);
            }
        }
    }

    /// <summary>Whether all that a node writes is a constant.</summary>
    public bool IsConstant(OnnxNode node) => _constantNodes.Contains(node);

    public OnnxTensor? Constant(string name) => _constants.GetValueOrDefault(name);

    /// <summary>The value of a float constant of one element; null where the tensor is none.</summary>
    public float? Scalar(string name) => Constant(name) is { Type: OnnxType.Float, Count: 1 } tensor ? tensor.Single(0) : null;

    public OnnxNode? Writer(string tensor) => _writers.GetValueOrDefault(tensor);

    /// <summary>The nodes that read a tensor, once for each time.</summary>
    public IReadOnlyList<OnnxNode> Readers(string tensor) => _readers.GetValueOrDefault(tensor) ?? [];

    public bool IsOutput(string tensor) => _outputs.Contains(tensor);

    /// <summary>The one node that reads a tensor; null where there are none or several, the tensor leaves the graph, or the operator is not ONNX' own.</summary>
    public OnnxNode? SoleReader(string tensor) => Readers(tensor) is [{ Domain: "" } reader] && !IsOutput(tensor) ? reader : null;

    /// <summary>What a node makes of nothing or of constants, of the few operators that exporters leave between weights and their use; null where it is no constant.</summary>
    private OnnxTensor? Fold(NodeReader node)
    {
        switch (node.Operator)
        {
            case "Constant":
                OnnxTensor value = ConstantValue(node) ?? throw node.Broken("its value must be a tensor or numbers");
                node.RequireAllKnown();
                return value;
            case "Identity":
                return Constant(node.Input(0));
            case "Transpose" when Constant(node.Input(0)) is { Type: OnnxType.Float, Dimensions: [var rows, var columns] } matrix
                && node.Wholes("perm") is null or [1, 0]:
                _budget.Take(matrix.Count, node);
                return Transposed(matrix, (int)rows, (int)columns);
            default:
                return null;
        }
    }

    private static OnnxTensor? ConstantValue(NodeReader node)
    {
        string name = node.Node.Outputs[0];
        if (node.Tensor("value") is { } tensor)
            return tensor;

        if (node.Numbers("value_floats") is { } numbers)
            return new() { Name = name, Dimensions = [numbers.Length / sizeof(float)], Type = OnnxType.Float, Data = numbers };

        if (node.Wholes("value_ints") is { } wholes)
            return OnnxTensor.Of(name, [.. wholes]);

        return node.Node.Attributes switch
        {
            [{ Name: "value_float" }] => OnnxTensor.Of(name, [node.Number("value_float", 0)]),
            [{ Name: "value_int" }] => OnnxTensor.Of(name, node.Whole("value_int", 0)),
            _ => null,
        };
    }

    private static OnnxTensor Transposed(OnnxTensor matrix, int rows, int columns)
    {
        float[] from = new float[matrix.Count], to = new float[from.Length];
        matrix.CopyTo(from);
        WeightLayout.Reverse(from, rows, 1, columns, to);
        return OnnxTensor.Of(matrix.Name, to, columns, rows);
    }
}
