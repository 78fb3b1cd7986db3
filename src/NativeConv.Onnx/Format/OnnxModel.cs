namespace NativeConv.Onnx.Format;

/// <summary>An ONNX file: a graph and what it says of itself.</summary>
internal sealed class OnnxModel
{
    /// <summary>The version of the container.</summary>
    public long IrVersion { get; set; }

    /// <summary>The version of ONNX' own operators.</summary>
    public long Opset { get; set; }

    public string ProducerName { get; set; } = "";

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public string GraphName { get; set; } = "";

    /// <summary>Each after those it reads.</summary>
    public List<OnnxNode> Nodes { get; } = [];

    public List<OnnxTensor> Initializers { get; } = [];

    public List<OnnxValueInfo> Inputs { get; } = [];

    public List<OnnxValueInfo> Outputs { get; } = [];
}
