namespace NativeConv.Keras;

/// <summary>Counts Keras layers by class and lists where their variables are.</summary>
internal sealed class KerasSlots
{
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly List<KerasSlot> _slots = [];

    public IReadOnlyList<KerasSlot> All => _slots;

    /// <summary>The slots of a model that was built in code.</summary>
    public static IReadOnlyList<KerasSlot> Of(Model model)
    {
        var slots = new KerasSlots();
        IReadOnlyList<Node> nodes = model.Nodes;
        for (int i = 0; i < nodes.Count; i++)
        {
            Node node = nodes[i];
            switch (node.Layer)
            {
                case DepthwiseConv2D { UseBias: false } when i + 1 < nodes.Count && IsSeparable(node, nodes[i + 1]):
                    slots.Add("separable_conv2d", [node, nodes[++i]]);
                    break;
                case Conv2D or PointwiseConv2D:
                    slots.Add("conv2d", [node]);
                    break;
                case DepthwiseConv2D:
                    slots.Add("depthwise_conv2d", [node]);
                    break;
                case Dense:
                    slots.Add("dense", [node]);
                    break;
                case BatchNormalization:
                    slots.Add("batch_normalization", [node]);
                    break;
                default:
                    slots.AddUnknown(node);
                    break;
            }
        }

        return slots.All;
    }

    /// <summary>The group of the next layer of a class, as <c>conv2d_1</c>.</summary>
    public string NextGroup(string kind)
    {
        int count = _counts.GetValueOrDefault(kind);
        _counts[kind] = count + 1;
        return count == 0 ? kind : $"{kind}_{count}";
    }

    /// <summary>Adds a layer of a class; its variables are the nodes' parameters in their order.</summary>
    public void Add(string kind, ReadOnlySpan<Node> nodes) => AddGroup(NextGroup(kind), nodes, hasScale: true, hasCenter: true);

    /// <summary>Adds a layer by its group; a normalization may lack its scale, gamma, or its centre, beta.</summary>
    public void AddGroup(string group, ReadOnlySpan<Node> nodes, bool hasScale, bool hasCenter)
    {
        int variable = 0;
        foreach (Node node in nodes)
        {
            foreach (ParameterDescription parameter in Parameters(node))
            {
                bool exists = parameter.Role switch { ParameterRole.Gamma => hasScale, ParameterRole.Beta => hasCenter, _ => true };
                _slots.Add(new($"{node.Name}.{parameter.Name}", parameter.Shape, exists ? $"layers/{group}/vars/{variable++}" : null));
            }
        }
    }

    /// <summary>The parameters of a layer that Keras has none like: no variable will be found.</summary>
    private void AddUnknown(Node node)
    {
        foreach (ParameterDescription parameter in Parameters(node))
            _slots.Add(new($"{node.Name}.{parameter.Name}", parameter.Shape, $"layers/{node.Layer.Kind}"));
    }

    private static IReadOnlyList<ParameterDescription> Parameters(Node node) => node.Layer.Parameters([.. node.Inputs.Select(input => input.Shape)]);

    /// <summary>Whether two nodes are what the builder makes of one separable convolution.</summary>
    private static bool IsSeparable(Node depthwise, Node pointwise) =>
        pointwise.Layer is PointwiseConv2D && pointwise.Inputs[0] == depthwise
        && depthwise.Name.EndsWith("_depthwise", StringComparison.Ordinal)
        && pointwise.Name == depthwise.Name[..^"depthwise".Length] + "pointwise";
}
