namespace NativeConv.Onnx.Format;

/// <summary>How Protocol Buffers lays out a field's value.</summary>
internal enum WireType
{
    /// <summary>Groups of 7 bits, lowest first, the last without its high bit.</summary>
    Varint = 0,

    /// <summary>8 bytes.</summary>
    Fixed64 = 1,

    /// <summary>A length as a varint, then so many bytes: a text, a message, packed numbers.</summary>
    Bytes = 2,

    /// <summary>4 bytes.</summary>
    Fixed32 = 5,
}
