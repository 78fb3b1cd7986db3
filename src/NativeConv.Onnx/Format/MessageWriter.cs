using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace NativeConv.Onnx.Format;

/// <summary>Writes a message of Protocol Buffers' wire format; <see cref="MessageReader"/> reads it.</summary>
internal sealed class MessageWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Int64(int field, long value)
    {
        Tag(field, WireType.Varint);
        Varint((ulong)value);
    }

    public void Int64s(int field, IEnumerable<long> values)
    {
        foreach (long value in values)
            Int64(field, value);
    }

    public void Single(int field, float value)
    {
        Tag(field, WireType.Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.GetSpan(sizeof(float)), value);
        _buffer.Advance(sizeof(float));
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Message(int field, MessageWriter message) => Bytes(field, message.Written);

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        BytesHeader(field, value.Length);
        Raw(value);
    }

    /// <summary>Bytes that are fields already.</summary>
    public void Raw(ReadOnlySpan<byte> fields) => _buffer.Write(fields);

    /// <summary>What stands before so many bytes, which the caller writes.</summary>
    public void BytesHeader(int field, int length)
    {
        Tag(field, WireType.Bytes);
        Varint((uint)length);
    }

    private void Tag(int field, WireType type) => Varint(((uint)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        Span<byte> span = _buffer.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);

        span[length++] = (byte)value;
        _buffer.Advance(length);
    }
}
