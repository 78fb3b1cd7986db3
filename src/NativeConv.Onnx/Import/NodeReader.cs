using NativeConv.Onnx.Format;

namespace NativeConv.Onnx.Import;

/// <summary>A node's attributes, each of which must be known to who reads the node: what is not asked for is an error, not ignored.</summary>
internal sealed class NodeReader(SourceFile file, OnnxNode node)
{
    private readonly HashSet<string> _known = [];

    public OnnxNode Node => node;

    public string Operator => node.Operator;

    /// <summary>An input's name; empty where it is left out.</summary>
    public string Input(int index) => index < node.Inputs.Length ? node.Inputs[index] : "";

    public float Number(string name, float absent) => Find(name, OnnxAttributeKind.Number)?.Number ?? absent;

    public long Whole(string name, long absent) => Find(name, OnnxAttributeKind.Whole)?.Whole ?? absent;

    public bool Truth(string name) => Whole(name, 0) != 0;

    public string Text(string name, string absent) => Find(name, OnnxAttributeKind.Text)?.Text ?? absent;

    /// <summary>A list of whole numbers; null where it is left out.</summary>
    public IReadOnlyList<long>? Wholes(string name) => Find(name, OnnxAttributeKind.Wholes)?.Wholes;

    /// <summary>Two numbers along height and width, each at least 1; 1 where they are left out.</summary>
    public Size2D Size(string name) => Wholes(name) switch
    {
        null => new(1, 1),
        [>= 1 and <= int.MaxValue and var height, >= 1 and <= int.MaxValue and var width] => new((int)height, (int)width),
        var other => throw Broken($"{name} must be two numbers of at least 1, but is [{string.Join(", ", other.Take(8))}]"),
    };

    public OnnxTensor? Tensor(string name) => Find(name, OnnxAttributeKind.Tensor)?.Tensor;

    public ReadOnlyMemory<byte>? Numbers(string name) => Find(name, OnnxAttributeKind.Numbers)?.Numbers;

    /// <summary>Marks an attribute as one that changes nothing here.</summary>
    public void Ignore(string name) => _known.Add(name);

    /// <exception cref="InvalidDataException">The node has an attribute that nothing asked for.</exception>
    public void RequireAllKnown()
    {
        foreach (OnnxAttribute attribute in node.Attributes)
        {
            if (!_known.Contains(attribute.Name))
                throw Broken($"the attribute '{attribute.Name}' is not known");
        }
    }

    public InvalidDataException Broken(string rule, Exception? cause = null) =>
        file.Broken(node.Offset, $"node '{node.Name}' ({(node.Domain.Length == 0 ? "" : node.Domain + ".")}{node.Operator}): {rule}", cause);

    private OnnxAttribute? Find(string name, OnnxAttributeKind kind)
    {
        _known.Add(name);
        OnnxAttribute? attribute = node.Attributes.FirstOrDefault(attribute => attribute.Name == name);
        return attribute == null || attribute.Kind == kind ? attribute : throw Broken($"the attribute '{name}' must be a {kind}, but is a {attribute.Kind}");
    }
}
