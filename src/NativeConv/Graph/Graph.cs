namespace NativeConv.Graph;

/// <summary>Nodes in an order in which each stands after those it reads; the first is the input, the last the output.</summary>
internal sealed class Graph(IReadOnlyList<Node> nodes)
{
    public IReadOnlyList<Node> Nodes => nodes;

    public Node Input => nodes[0];

    public Node Output => nodes[^1];
}
