using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>Finds the activations that a graph spells out.</summary>
internal sealed class PatternMatcher
{
    private readonly SourceFile _file;
    private readonly GraphIndex _graph;
    private readonly HashSet<OnnxNode> _inside = [];
    private readonly Dictionary<OnnxNode, (string Input, Activation Function)> _found = [];

    public PatternMatcher(SourceFile file, IReadOnlyList<OnnxNode> nodes, GraphIndex graph)
    {
        _file = file;
        _graph = graph;

        // Backward, so that the outermost operator of an expression comes first: a hard-sigmoid may be part of a hard-swish.
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i] is { Domain: "", Operator: "Mul" or "Div" or "Clip", Outputs.Length: 1 } && !_inside.Contains(nodes[i]))
                Find(nodes[i]);
        }
    }

    /// <summary>Whether a node is part of an expression that another node ends.</summary>
    public bool IsInside(OnnxNode node) => _inside.Contains(node);

    /// <summary>Whether a node ends an expression: of which tensor, and for which function.</summary>
    public bool TryGet(OnnxNode node, out (string Input, Activation Function) found) => _found.TryGetValue(node, out found);

    private void Find(OnnxNode root)
    {
        foreach ((ActivationPattern pattern, Activation function) in ActivationPattern.All)
        {
            string? input = null;
            var nodes = new List<OnnxNode>();
            if (!Matches(root.Outputs[0], pattern, ref input, nodes) || !nodes.TrueForAll(node => node == root || IsReadWithin(node, nodes)))
                continue;

            _found.Add(root, (input!, function));
            _inside.UnionWith(nodes.Where(node => node != root));
            return;
        }
    }

    private bool IsReadWithin(OnnxNode node, List<OnnxNode> nodes) =>
        !_graph.IsOutput(node.Outputs[0]) && _graph.Readers(node.Outputs[0]).All(nodes.Contains);

    private bool Matches(string tensor, ActivationPattern pattern, ref string? input, List<OnnxNode> nodes)
    {
        if (pattern is ActivationPattern.Input)
            return (input ??= tensor) == tensor;

        if (_graph.Writer(tensor) is not { Domain: "", Outputs.Length: 1, Inputs: [var first, ..] } node)
            return false;

        nodes.Add(node);
        string second = node.Inputs.Length == 2 ? node.Inputs[1] : "";
        switch (pattern)
        {
            case ActivationPattern.Scale(var of, float factor) when node.Operator == "Div":
                return IsConstant(second, 1 / factor) && Matches(first, of, ref input, nodes);
            case ActivationPattern.Scale(var of, float factor) when node.Operator == "Mul":
                return (IsConstant(second, factor) && Matches(first, of, ref input, nodes)) || (IsConstant(first, factor) && Matches(second, of, ref input, nodes));
            case ActivationPattern.Shift(var of, float offset) when node.Operator == "Add":
                return (IsConstant(second, offset) && Matches(first, of, ref input, nodes)) || (IsConstant(first, offset) && Matches(second, of, ref input, nodes));
            case ActivationPattern.Product(var left, var right) when node.Operator == "Mul":
                return MatchBoth(first, left, second, right, ref input, nodes) || MatchBoth(second, left, first, right, ref input, nodes);
            case ActivationPattern.Apply(Activation function, var of):
                if (ActivationOperators.Find(new(_file, node), _graph, out _) != function)
                    return false;

                // PyTorch writes ReLU6 as a Relu and a Clip.
                if (function == Activation.ReLU6 && _graph.Writer(first) is { Domain: "", Operator: "Relu", Inputs: [var inner], Outputs.Length: 1 } relu)
                {
                    nodes.Add(relu);
                    first = inner;
                }

                return Matches(first, of, ref input, nodes);
            case ActivationPattern.ErrorFunction(var of) when node.Operator == "Erf":
                return Matches(first, of, ref input, nodes);
            default:
                return false;
        }
    }

    /// <summary>Matches two tensors, and takes back what it found where one of them fails.</summary>
    private bool MatchBoth(string first, ActivationPattern left, string second, ActivationPattern right, ref string? input, List<OnnxNode> nodes)
    {
        (string? kept, int count) = (input, nodes.Count);
        if (Matches(first, left, ref input, nodes) && Matches(second, right, ref input, nodes))
            return true;

        input = kept;
        nodes.RemoveRange(count, nodes.Count - count);
        return false;
    }

    private bool IsConstant(string tensor, float value) => _graph.Scalar(tensor) is { } constant && ActivationOperators.Near(constant, value);
}
