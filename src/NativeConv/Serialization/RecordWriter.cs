using System.Buffers.Binary;
using System.Numerics;

namespace NativeConv.Serialization;

/// <summary>
/// TFRecord framing: each record is its length in 64 bits, the masked CRC-32C of these 8 bytes, the data and the masked CRC-32C of the data, little-endian. Source: TensorFlow's
/// description of the format; the polynomial is Castagnoli's (RFC 3720).
/// </summary>
internal sealed class RecordWriter(Stream stream)
{
    private const uint MaskDelta = 0xA282EAD8;

    public void Write(ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[12], tail = stackalloc byte[4];
        BinaryPrimitives.WriteInt64LittleEndian(head, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], Mask(Crc32C(head[..8])));
        BinaryPrimitives.WriteUInt32LittleEndian(tail, Mask(Crc32C(data)));
        stream.Write(head);
        stream.Write(data);
        stream.Write(tail);
    }

    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);

        return ~crc;
    }

    /// <summary>The mask keeps a CRC over data that holds CRCs from being weak.</summary>
    public static uint Mask(uint crc) => BitOperations.RotateRight(crc, 15) + MaskDelta;
}
