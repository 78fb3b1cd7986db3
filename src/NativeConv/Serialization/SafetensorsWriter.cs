using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace NativeConv.Serialization;

/// <summary>Writes safetensors files of 32-bit floats. Equal contents give equal bytes.</summary>
internal static class SafetensorsWriter
{
    public static void Write(
        Stream stream, IReadOnlyCollection<KeyValuePair<string, string>> metadata,
        IReadOnlyCollection<(string Name, TensorShape Shape, ReadOnlyMemory<float> Values)> tensors)
    {
        var header = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(key, value);

            json.WriteEndObject();
            long offset = 0;
            foreach ((string name, TensorShape shape, ReadOnlyMemory<float> values) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                for (int i = 0; i < shape.Rank; i++)
                    json.WriteNumberValue(shape[i]);

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += 4L * values.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Spaces bring the values to a multiple of 8 bytes.
        int length = (header.WrittenCount + 7) / 8 * 8;
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, length);
        stream.Write(prefix);
        stream.Write(header.WrittenSpan);
        stream.Write("       "u8[..(length - header.WrittenCount)]);
        byte[] block = new byte[1 << 16];
        foreach ((_, _, ReadOnlyMemory<float> values) in tensors)
        {
            for (int first = 0; first < values.Length; first += block.Length / 4)
            {
                ReadOnlySpan<float> part = values.Span.Slice(first, Math.Min(block.Length / 4, values.Length - first));
                for (int i = 0; i < part.Length; i++)
                    BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(4 * i), part[i]);

                stream.Write(block.AsSpan(0, 4 * part.Length));
            }
        }
    }
}
