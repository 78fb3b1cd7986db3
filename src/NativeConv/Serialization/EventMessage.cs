using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace NativeConv.Serialization;

/// <summary>
/// TensorBoard's Event message in protocol buffers' wire format, where a step of 0 is left out: wall_time = 1, step = 2, and one of file_version = 3, summary = 5,
/// session_log = 7. Source: TensorFlow's event.proto and summary.proto.
/// </summary>
internal static class EventMessage
{
    private const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    /// <summary>The first record of every file.</summary>
    public static byte[] FileVersion(double wallTime) => Event(wallTime, 0, 3, "brain.Event:2"u8);

    /// <summary>Tells the reader that a run goes on: what other files hold from this step on is void.</summary>
    public static byte[] Start(double wallTime, long step)
    {
        var log = new ArrayBufferWriter<byte>();
        Key(log, 1, Varint);
        Number(log, 1);
        return Event(wallTime, step, 7, log.WrittenSpan);
    }

    public static byte[] Scalars(double wallTime, long step, params ReadOnlySpan<(string Tag, double Value)> scalars)
    {
        ArrayBufferWriter<byte> summary = new(), value = new();
        foreach ((string tag, double scalar) in scalars)
        {
            value.ResetWrittenCount();
            Field(value, 1, Encoding.UTF8.GetBytes(tag));
            Key(value, 2, Fixed32);
            BinaryPrimitives.WriteSingleLittleEndian(value.GetSpan(4), (float)scalar);
            value.Advance(4);
            Field(summary, 1, value.WrittenSpan);
        }

        return Event(wallTime, step, 5, summary.WrittenSpan);
    }

    private static byte[] Event(double wallTime, long step, int field, ReadOnlySpan<byte> what)
    {
        var message = new ArrayBufferWriter<byte>();
        Key(message, 1, Fixed64);
        BinaryPrimitives.WriteDoubleLittleEndian(message.GetSpan(8), wallTime);
        message.Advance(8);
        if (step != 0)
        {
            Key(message, 2, Varint);
            Number(message, (ulong)step);
        }

        Field(message, field, what);
        return message.WrittenSpan.ToArray();
    }

    private static void Field(ArrayBufferWriter<byte> message, int field, ReadOnlySpan<byte> bytes)
    {
        Key(message, field, Bytes);
        Number(message, (ulong)bytes.Length);
        message.Write(bytes);
    }

    private static void Key(ArrayBufferWriter<byte> message, int field, int wireType) => Number(message, (ulong)((field << 3) | wireType));

    /// <summary>Seven bits a byte, lowest first.</summary>
    private static void Number(ArrayBufferWriter<byte> message, ulong value)
    {
        for (; value > 127; value >>= 7)
            message.Write([(byte)(value | 128)]);

        message.Write([(byte)value]);
    }
}
