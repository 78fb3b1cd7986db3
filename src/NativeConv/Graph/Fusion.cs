using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>Rewrites a plan so that neighbours share a sweep over memory. The bits are those of the nodes on their own, but for sums behind which a max-pooling stands: they are in the order of its windows.</summary>
internal static class Fusion
{
    /// <summary>Hands an activation to the node before it, where nothing else reads that node.</summary>
    public static void FuseActivations(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        int[] readers = Graph.CountReaders(nodes);
        foreach (Node node in nodes)
        {
            if (node.Layer is not ActivationLayer activation || !node.Inputs[0].Layer.CanFuse(activation.Function) || readers[node.Inputs[0].Index] > 1)
                continue;

            NodeBinding before = bindings[node.Inputs[0].Index];
            before.FusedActivation = before.BackwardActivation = activation.Function;
            bindings[node.Index].IsFusedAway = true;
        }
    }

    /// <summary>
    /// Hands the backward of a convolution's rectifier to the max-pooling that alone reads it: a window's maximum is what its winner was, and the winner alone has a gradient. So no backward reads the
    /// convolution's output.
    /// </summary>
    public static void HandRectifiersToPoolings(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        int[] readers = Graph.CountReaders(nodes);
        foreach (Node node in nodes)
        {
            if (node.Layer is not MaxPool2D pooling || !pooling.CanRectifyBackward(node.Inputs[0].Shape))
                continue;

            Node activation = node.Inputs[0];
            if (!bindings[activation.Index].IsFusedAway || !activation.Inputs[0].Layer.IsConvolution || readers[activation.Index] > 1)
                continue;

            NodeBinding convolution = bindings[activation.Inputs[0].Index];
            (bindings[node.Index].BackwardActivation, convolution.BackwardActivation) = (convolution.BackwardActivation, Activation.Linear);
        }
    }

    /// <summary>
    /// Lets convolutions of few input channels take the gradient of the 2x2 max-pooling that alone reads them, where no activation's backward stands between, or the pooling does it. Sums of their gradients are
    /// then in the order of the windows.
    /// </summary>
    public static void HandGradientsToConvolutions(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        foreach ((NodeBinding pooling, Node convolution) in CoveringPoolings(nodes, bindings))
        {
            NodeBinding binding = bindings[convolution.Index];
            if (convolution.Inputs.Count != 1 || binding.BackwardActivation != Activation.Linear || !convolution.Layer.CanTakePooledGradient(convolution.Inputs[0].Shape))
                continue;

            (binding.Pooling, pooling.IsGradientHandedOn) = (pooling, true);
        }
    }

    /// <summary>
    /// Lets a batch normalization by the batch's statistics, and the rectifier behind it, pool what it normalizes, where the 2x2 max-pooling that covers its output alone reads it: the pooling normalizes what won. Sums of
    /// gradients are then those of the winners, in the order of the windows; where only rounding makes normalized cells equal, the one that is larger before it wins (of a negative gamma the smaller), not the first.
    /// </summary>
    public static void PoolBeforeNormalizing(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        foreach ((NodeBinding pooling, Node normalization) in CoveringPoolings(nodes, bindings))
        {
            NodeBinding binding = bindings[normalization.Index];
            if (normalization.Layer is not BatchNormalization || !binding.ParametersTrainable || Rectifier.Of(binding.FusedActivation) == null)
                continue;

            (binding.Pooling, binding.PoolsItself, pooling.IsGradientHandedOn) = (pooling, true, true);
        }
    }

    /// <summary>The 2x2 max-poolings that cover what they read, each with the node that computes it and its own activation, where nothing else reads that.</summary>
    private static IEnumerable<(NodeBinding Pooling, Node Producer)> CoveringPoolings(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        int[] readers = Graph.CountReaders(nodes);
        foreach (Node node in nodes)
        {
            if (node.Layer is not MaxPool2D pooling || !pooling.QuartersInput(node.Inputs[0].Shape))
                continue;

            Node producer = node.Inputs[0];
            if (bindings[producer.Index].IsFusedAway && readers[producer.Index] == 1)
                producer = producer.Inputs[0];

            if (readers[producer.Index] == 1)
                yield return (bindings[node.Index], producer);
        }
    }

    /// <summary>Marks the nodes whose gradient comes back through a max-pooling alone: of a window's cells one has a gradient, and activations and dropout keep zeros.</summary>
    public static void MarkSparseGradients(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        int[] readers = Graph.CountReaders(nodes);
        foreach (Node pooling in nodes.Where(node => node.Layer is MaxPool2D { IsSparseBackward: true }))
        {
            Node node = pooling.Inputs[0];
            while (node.Layer is ActivationLayer or Dropout && readers[node.Index] == 1)
                node = node.Inputs[0];

            bindings[node.Index].IsGradientSparse = readers[node.Index] == 1;
        }
    }
}
