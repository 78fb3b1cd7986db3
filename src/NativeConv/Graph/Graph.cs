namespace NativeConv.Graph;

/// <summary>Nodes in an order in which each stands after those it reads; the first is the input, the last the output.</summary>
internal sealed class Graph(IReadOnlyList<Node> nodes)
{
    public IReadOnlyList<Node> Nodes => nodes;

    public Node Input => nodes[0];

    public Node Output => nodes[^1];

    /// <summary>How many inputs of other nodes each node is.</summary>
    public static int[] CountReaders(IReadOnlyList<Node> nodes)
    {
        int[] readers = new int[nodes.Count];
        foreach (Node input in nodes.SelectMany(node => node.Inputs))
            readers[input.Index]++;

        return readers;
    }
}
