using System.Buffers.Binary;

namespace NativeConv.Onnx.Format;

/// <summary>A constant tensor: a weight, or an operator's setting.</summary>
internal sealed class OnnxTensor
{
    public required string Name { get; init; }

    public required long[] Dimensions { get; init; }

    public required OnnxType Type { get; init; }

    /// <summary>The elements in row-major order, little-endian, as many as the dimensions say; none for a type that is not of <see cref="OnnxType"/>.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The file's byte where it stands.</summary>
    public int Offset { get; init; }

    /// <summary>How many elements it holds; 0 for a type whose values are not read.</summary>
    public int Count => Data.Length / Math.Max(1, SizeOf(Type));

    public string Shape => $"[{string.Join(", ", Dimensions)}]";

    public static OnnxTensor Of(string name, ReadOnlySpan<float> values, params long[] dimensions)
    {
        byte[] data = new byte[sizeof(float) * values.Length];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(sizeof(float) * i), values[i]);

        return new() { Name = name, Dimensions = dimensions, Type = OnnxType.Float, Data = data };
    }

    public static OnnxTensor Of(string name, params ReadOnlySpan<long> values)
    {
        byte[] data = new byte[sizeof(long) * values.Length];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(sizeof(long) * i), values[i]);

        return new() { Name = name, Dimensions = [values.Length], Type = OnnxType.Int64, Data = data };
    }

    /// <summary>Bytes an element; 0 for a type whose values are not read.</summary>
    public static int SizeOf(OnnxType type) => type switch
    {
        OnnxType.Float => sizeof(float),
        OnnxType.Int64 => sizeof(long),
        OnnxType.Bool => sizeof(bool),
        _ => 0,
    };

    public float Single(int index) => BinaryPrimitives.ReadSingleLittleEndian(Data.Span[(sizeof(float) * index)..]);

    public void CopyTo(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = Single(i);
    }

    public long Int64(int index) => BinaryPrimitives.ReadInt64LittleEndian(Data.Span[(sizeof(long) * index)..]);
}
