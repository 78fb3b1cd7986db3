using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace NativeConv.Onnx.Format;

/// <summary>
/// Reads one message of Protocol Buffers' wire format field by field. Source: the format's description at protobuf.dev/programming-guides/encoding.
/// </summary>
/// <remarks>
/// By hand rather than by Google.Protobuf: ONNX needs four wire types and a dozen messages, an error here can name its byte, weights stay where they are in
/// the file instead of being copied by the parser, and a trimmed or ahead-of-time compiled program gains neither a dependency nor the generated code of every
/// ONNX message.
/// </remarks>
internal ref struct MessageReader
{
    private const ulong LargestField = (1 << 29) - 1;

    private readonly SourceFile _file;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _end;
    private int _at;
    private WireType _type;

    public MessageReader(SourceFile file)
        : this(file, 0, file.Bytes.Length)
    {
    }

    private MessageReader(SourceFile file, int start, int end)
    {
        _file = file;
        _bytes = file.Bytes.Span;
        _at = start;
        _end = end;
        Start = start;
    }

    /// <summary>The file's byte where the message starts.</summary>
    public int Start { get; }

    /// <summary>The field's number.</summary>
    public int Field { get; private set; }

    /// <summary>The file's byte where the field starts.</summary>
    public int FieldStart { get; private set; }

    /// <summary>Moves to the next field; its value must then be read or skipped.</summary>
    public bool Next()
    {
        if (_at == _end)
            return false;

        FieldStart = _at;
        ulong tag = ReadVarint();
        if (tag >> 3 is 0 or > LargestField)
            throw Broken($"a field's number must be 1 to {LargestField}, but is {tag >> 3}");

        Field = (int)(tag >> 3);
        _type = (WireType)(tag & 7);
        return _type is WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32
            ? true
            : throw Broken($"field {Field} has the wire type {(int)_type}, which no field of this format has");
    }

    public void Skip()
    {
        switch (_type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Bytes:
                ReadLength();
                break;
            default:
                Take(_type == WireType.Fixed32 ? 4 : 8);
                break;
        }
    }

    public long ReadInt64()
    {
        Require(WireType.Varint);
        return (long)ReadVarint();
    }

    public float ReadSingle()
    {
        Require(WireType.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    public string ReadText()
    {
        ReadOnlySpan<byte> text = ReadBytes().Span;
        return Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : throw Broken($"field {Field} must be UTF-8");
    }

    /// <summary>The value's place in the file, not a copy.</summary>
    public ReadOnlyMemory<byte> ReadBytes()
    {
        Require(WireType.Bytes);
        (int start, int end) = ReadLength();
        return _file.Bytes[start..end];
    }

    public MessageReader ReadMessage()
    {
        Require(WireType.Bytes);
        (int start, int end) = ReadLength();
        return new(_file, start, end);
    }

    /// <summary>Adds one whole number, or all of a packed field.</summary>
    public void ReadInt64s(List<long> values)
    {
        if (_type == WireType.Varint)
        {
            values.Add(ReadInt64());
            return;
        }

        MessageReader packed = ReadMessage();
        while (packed._at < packed._end)
            values.Add((long)packed.ReadVarint());
    }

    /// <summary>Adds the bytes of one 32-bit float, or of all in a packed field.</summary>
    public void ReadSingles(ArrayBufferWriter<byte> values)
    {
        if (_type == WireType.Fixed32)
        {
            values.Write(Take(4));
            return;
        }

        ReadOnlySpan<byte> packed = ReadBytes().Span;
        if (packed.Length % sizeof(float) != 0)
            throw Broken($"field {Field} must be whole floats, but has {packed.Length} bytes");

        values.Write(packed);
    }

    /// <summary>An error at the field.</summary>
    public readonly InvalidDataException Broken(string rule) => Broken(rule, FieldStart);

    public readonly InvalidDataException Broken(string rule, int offset) => _file.Broken(offset, rule);

    private readonly void Require(WireType type)
    {
        if (_type != type)
            throw Broken($"field {Field} must have the wire type {type}, but has {_type}");
    }

    private (int Start, int End) ReadLength()
    {
        ulong length = ReadVarint();
        if (length > (ulong)(_end - _at))
            throw Broken($"field {Field} should have {length} bytes, but only {_end - _at} follow in its message");

        int start = _at;
        _at += (int)length;
        return (start, _at);
    }

    private ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > _end - _at)
            throw Broken($"field {Field} should have {bytes} bytes, but only {_end - _at} follow in its message");

        _at += bytes;
        return _bytes.Slice(_at - bytes, bytes);
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; _at < _end; shift += 7)
        {
            byte part = _bytes[_at++];
            if (shift == 63 && part > 1)
                break;

            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw _file.Broken(_at, "a whole number must end within its message and 64 bits");
    }
}
