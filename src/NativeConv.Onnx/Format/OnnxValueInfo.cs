namespace NativeConv.Onnx.Format;

/// <summary>A length, or a name for one that is known when the model runs.</summary>
internal readonly record struct OnnxDimension(long Length, string? Symbol = null)
{
    public override string ToString() => Symbol ?? $"{Length}";
}

/// <summary>What the outside gives to a graph or gets from it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements; 0 where it is no tensor.</param>
/// <param name="Dimensions">Its dimensions; null where nothing is said of them.</param>
/// <param name="Offset">The file's byte where it stands.</param>
internal sealed record OnnxValueInfo(string Name, OnnxType Type, IReadOnlyList<OnnxDimension>? Dimensions, int Offset = 0);
