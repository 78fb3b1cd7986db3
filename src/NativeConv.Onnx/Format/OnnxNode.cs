namespace NativeConv.Onnx.Format;

/// <summary>An operator with the tensors it reads and writes, by name; an empty name is an input that is left out.</summary>
internal sealed class OnnxNode
{
    public required string Operator { get; init; }

    /// <summary>The operator's home; empty for ONNX itself.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Its name; may be empty, and need not be unique.</summary>
    public string Name { get; init; } = "";

    public required string[] Inputs { get; init; }

    public required string[] Outputs { get; init; }

    public IReadOnlyList<OnnxAttribute> Attributes { get; init; } = [];

    /// <summary>The file's byte where it stands.</summary>
    public int Offset { get; init; }
}
