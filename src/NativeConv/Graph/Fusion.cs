using NativeConv.Layers;

namespace NativeConv.Graph;

/// <summary>Rewrites a plan so that neighbours share a sweep over memory. The bits are those of the nodes on their own.</summary>
internal static class Fusion
{
    /// <summary>Hands an activation to the node before it, where nothing else reads that node.</summary>
    public static void FuseActivations(IReadOnlyList<Node> nodes, NodeBinding[] bindings)
    {
        int[] readers = Graph.CountReaders(nodes);
        foreach (Node node in nodes)
        {
            if (node.Layer is not ActivationLayer activation || !node.Inputs[0].Layer.CanFuse(activation.Function, bindings[node.Index].Training) || readers[node.Inputs[0].Index] > 1)
                continue;

            bindings[node.Inputs[0].Index].FusedActivation = activation.Function;
            bindings[node.Index].IsFusedAway = true;
        }
    }
}
