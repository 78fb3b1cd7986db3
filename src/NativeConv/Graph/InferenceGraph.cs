namespace NativeConv.Graph;

/// <summary>
/// Rewrites a model for predictions: batch normalization by its running statistics is one factor and one summand a channel, which go into the weights and the bias of the
/// layer before it where nothing else reads that layer; dropout and linear activations go.
/// </summary>
internal static class InferenceGraph
{
    public static Model Convert(Model model)
    {
        var folded = new Dictionary<Node, Node>();
        int[] readers = Graph.CountReaders(model.Nodes);
        foreach (Node node in model.Nodes)
        {
            if (node.Layer is BatchNormalization && node.Inputs[0] is { } source && readers[source.Index] == 1 && source.Layer.WithBias() != null)
                folded.Add(source, node);
        }

        var rewritten = new Dictionary<Node, Node>();
        var nodes = new List<Node>();
        foreach (Node node in model.Nodes)
        {
            bool goes = node.Layer is Dropout or ActivationLayer { Function: Activation.Linear } || (node.Inputs.Count == 1 && folded.GetValueOrDefault(node.Inputs[0]) == node);
            if (goes)
            {
                rewritten.Add(node, rewritten[node.Inputs[0]]);
                continue;
            }

            Layer layer = folded.ContainsKey(node) ? node.Layer.WithBias()! : node.Layer;
            var copy = new Node(nodes.Count, node.Name, layer, [.. node.Inputs.Select(input => rewritten[input])], node.Shape);
            rewritten.Add(node, copy);
            nodes.Add(copy);
        }

        var result = new Model(new(nodes), model.ClassNames, areWeightsFixed: true) { Execution = model.Execution };
        foreach (Node node in model.Nodes.Where(node => rewritten[node].Name == node.Name))
            CopyWeights(model.Store, node, folded.GetValueOrDefault(node), result.Store, rewritten[node]);

        return result;
    }

    private static void CopyWeights(ParameterStore from, Node node, Node? normalization, ParameterStore to, Node copy)
    {
        int count = node.Layer.Parameters(node.InputShapes()).Count;
        for (int i = 0; i < count; i++)
            from.Parameter(node, i).Value.Span.CopyTo(to.Parameter(copy, i).Value.Span);

        if (normalization == null)
            return;

        float epsilon = ((BatchNormalization)normalization.Layer).Epsilon;
        ReadOnlySpan<float> gamma = Values(0), beta = Values(1), mean = Values(2), variance = Values(3);
        Span<float> kernel = to.Parameter(copy, 0).Value.Span, bias = to.Parameter(copy, 1).Value.Span;
        for (int channel = 0; channel < bias.Length; channel++)
        {
            double factor = gamma[channel] / Math.Sqrt((double)variance[channel] + epsilon);
            bias[channel] = (float)(((bias[channel] - mean[channel]) * factor) + beta[channel]);

            // Output channels are the kernel's last axis, or the last two of a depthwise one.
            for (int i = channel; i < kernel.Length; i += bias.Length)
                kernel[i] = (float)(kernel[i] * factor);
        }

        ReadOnlySpan<float> Values(int index) => from.Parameter(normalization, index).Value.Span;
    }
}
