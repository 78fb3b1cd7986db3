namespace NativeConv.Onnx.Format;

/// <summary>What an attribute holds, as ONNX numbers it; of its kinds, those that the library's operators have.</summary>
internal enum OnnxAttributeKind
{
    Undefined = 0,
    Number = 1,
    Whole = 2,
    Text = 3,
    Tensor = 4,
    Numbers = 6,
    Wholes = 7,
}

/// <summary>A setting of a node.</summary>
internal sealed class OnnxAttribute
{
    public required string Name { get; init; }

    public required OnnxAttributeKind Kind { get; init; }

    public float Number { get; init; }

    public long Whole { get; init; }

    public string Text { get; init; } = "";

    public OnnxTensor? Tensor { get; init; }

    /// <summary>Floats, little-endian.</summary>
    public ReadOnlyMemory<byte> Numbers { get; init; }

    public IReadOnlyList<long> Wholes { get; init; } = [];

    public static OnnxAttribute Of(string name, float value) => new() { Name = name, Kind = OnnxAttributeKind.Number, Number = value };

    public static OnnxAttribute Of(string name, long value) => new() { Name = name, Kind = OnnxAttributeKind.Whole, Whole = value };

    public static OnnxAttribute Of(string name, params long[] values) => new() { Name = name, Kind = OnnxAttributeKind.Wholes, Wholes = values };
}
