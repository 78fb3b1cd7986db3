using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace NativeConv.Serialization;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as <c>F32</c>.</param>
/// <param name="Shape">Its dimensions; none for a single value.</param>
/// <param name="Start">The file's byte where its values start.</param>
/// <param name="Bytes">How many bytes they are.</param>
internal sealed record SafetensorsEntry(string Name, string Type, long[] Shape, int Start, int Bytes);

/// <summary>
/// A safetensors file in memory: a 64-bit length, a JSON header of that length, the values. Every rule of the format is enforced before anything is used. Source:
/// the format's description at huggingface.co/docs/safetensors.
/// </summary>
internal sealed class SafetensorsFile
{
    private const long LargestHeader = 100_000_000;
    private const string MetadataKey = "__metadata__";

    private readonly string _name;
    private readonly ReadOnlyMemory<byte> _file;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <param name="file">The whole file.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <exception cref="InvalidDataException">The file breaks a rule, which the message names with its offset.</exception>
    public SafetensorsFile(ReadOnlyMemory<byte> file, string name)
    {
        _file = file;
        _name = name;
        if (file.Length < 8)
            throw Broken(0, $"a file starts with 8 bytes that tell the header's length, but has {file.Length}");

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span);
        if (length > LargestHeader)
            throw Broken(0, $"{ForeignFile.Describe(file.Span)}: the first 8 bytes must be the header's length, at most {LargestHeader} bytes, but are {length}");

        if (length > (ulong)file.Length - 8)
            throw Broken(0, $"the header should have {length} bytes, but only {file.Length - 8} follow");

        ReadOnlyMemory<byte> header = file.Slice(8, (int)length);
        if (!Utf8.IsValid(header.Span))
            throw Broken(8, "the header is not UTF-8");

        if (header.IsEmpty || header.Span[0] != '{')
            throw Broken(8, "the header must start with '{'");

        try
        {
            using JsonDocument json = StrictJson.Parse(header);
            ReadHeader(json.RootElement, 8 + (int)length);
        }
        catch (InvalidOperationException e)
        {
            throw Broken(8, $"the header's strings must be Unicode: {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw Broken(8 + (e.LineNumber == 0 ? e.BytePositionInLine ?? 0 : 0), $"the header is not a JSON object without duplicate keys: {e.Message}", e);
        }
    }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule.</exception>
    public static SafetensorsFile Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads what is left of a stream.</summary>
    /// <exception cref="InvalidDataException">The file breaks a rule.</exception>
    public static SafetensorsFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return new(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), NameOf(stream));
    }

    /// <summary>What messages call a stream's contents.</summary>
    public static string NameOf(Stream stream) => stream is FileStream file ? file.Name : "the stream";

    /// <summary>Writes a tensor's values.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or one of another type or shape.</exception>
    public void CopyTo(string tensor, TensorShape shape, Span<float> values) => CopyTo(Require(tensor, shape), values);

    /// <summary>Refuses a tensor that <see cref="CopyTo(SafetensorsEntry, Span{float})"/> cannot read.</summary>
    /// <exception cref="InvalidDataException">The values are no floats of 32 bits or fewer.</exception>
    public void RequireFloats(SafetensorsEntry entry)
    {
        if (entry.Type is not ("F32" or "F16" or "BF16"))
            throw Broken(entry.Start, $"tensor '{entry.Name}' must be of type F32, F16 or BF16, but is {entry.Type}");
    }

    /// <summary>Writes a tensor's values as 32-bit floats; smaller floats are widened, which is exact.</summary>
    /// <exception cref="InvalidDataException">The values are no floats of 32 bits or fewer.</exception>
    public void CopyTo(SafetensorsEntry entry, Span<float> values)
    {
        RequireFloats(entry);
        ReadOnlySpan<byte> bytes = _file.Span.Slice(entry.Start, entry.Bytes);
        switch (entry.Type)
        {
            case "F32":
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                break;
            case "F16":
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            default:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
        }
    }

    /// <summary>The entry of a tensor of 32-bit floats.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or one of another type or shape.</exception>
    public SafetensorsEntry Require(string tensor, TensorShape shape)
    {
        if (!_entries.TryGetValue(tensor, out SafetensorsEntry? entry))
            throw Broken(8, $"there is no tensor '{tensor}'; the file holds {(_entries.Count == 0 ? "none" : string.Join(", ", _entries.Keys.Take(20)))}");

        if (entry.Type != "F32")
            throw Broken(entry.Start, $"tensor '{tensor}' must be of type F32, but is {entry.Type}");

        bool same = entry.Shape.Length == shape.Rank;
        for (int i = 0; same && i < shape.Rank; i++)
            same = entry.Shape[i] == shape[i];

        return same ? entry : throw Broken(entry.Start, $"tensor '{tensor}' must be {shape}, but is [{string.Join(", ", entry.Shape)}]");
    }

    public InvalidDataException Broken(long offset, string rule, Exception? cause = null) => new($"{_name}, byte {offset}: {rule}.", cause);

    private void ReadHeader(JsonElement header, int start)
    {
        var ranges = new List<(long First, long End, string Name, string Type, long[] Shape)>();
        foreach (JsonProperty property in header.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Object)
                throw Broken(8, $"'{property.Name}' must be an object, but is {property.Value.ValueKind}");

            if (property.Name != MetadataKey)
            {
                ranges.Add(ReadEntry(property));
                continue;
            }

            foreach (JsonProperty text in property.Value.EnumerateObject())
            {
                if (text.Value.ValueKind != JsonValueKind.String)
                    throw Broken(8, $"metadata '{text.Name}' must be a string, but is {text.Value.ValueKind}");

                _metadata.Add(text.Name, text.Value.GetString()!);
            }
        }

        ranges.Sort((a, b) => a.First != b.First ? a.First.CompareTo(b.First) : a.End.CompareTo(b.End));
        long at = 0, data = _file.Length - start;
        foreach ((long first, long end, string name, string type, long[] shape) in ranges)
        {
            if (first != at)
                throw Broken(start + Math.Min(first, at), $"tensor '{name}' must start at {at}, where the one before ends, but starts at {first}");

            if (end > data)
                throw Broken(start + first, $"tensor '{name}' ends at {end}, but the file has {data} bytes of values");

            _entries.Add(name, new(name, type, shape, (int)(start + first), (int)(end - first)));
            at = end;
        }

        if (at != data)
            throw Broken(start + at, $"the last tensor ends at {at}, but the file has {data} bytes of values");
    }

    private (long First, long End, string Name, string Type, long[] Shape) ReadEntry(JsonProperty property)
    {
        string name = property.Name;
        string? type = null;
        long[]? shape = null, offsets = null;
        foreach (JsonProperty field in property.Value.EnumerateObject())
        {
            switch (field.Name)
            {
                case "dtype" when field.Value.ValueKind == JsonValueKind.String:
                    type = field.Value.GetString();
                    break;
                case "shape":
                    shape = ReadNumbers(name, field);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(name, field);
                    break;
                default:
                    throw Broken(8, $"tensor '{name}' has a field '{field.Name}' that is none of dtype, shape, data_offsets or has the wrong type");
            }
        }

        if (type == null || shape == null || offsets is not [long first, long end])
            throw Broken(8, $"tensor '{name}' must have a dtype, a shape and two data_offsets");

        int size = type switch
        {
            "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" => 1,
            "I16" or "U16" or "F16" or "BF16" => 2,
            "I32" or "U32" or "F32" => 4,
            "I64" or "U64" or "F64" => 8,
            _ => throw Broken(8, $"tensor '{name}' has the unknown type '{type}'"),
        };
        try
        {
            long bytes = size;
            foreach (long dimension in shape)
                bytes = checked(bytes * dimension);

            return end - first == bytes
                ? (first, end, name, type, shape)
                : throw Broken(8, $"tensor '{name}' of type {type} and shape [{string.Join(", ", shape)}] needs {bytes} bytes, but its offsets span {end - first}");
        }
        catch (OverflowException)
        {
            throw Broken(8, $"tensor '{name}' has the shape [{string.Join(", ", shape)}], whose size overflows");
        }
    }

    private long[] ReadNumbers(string tensor, JsonProperty field)
    {
        if (field.Value.ValueKind != JsonValueKind.Array)
            throw Broken(8, $"{field.Name} of tensor '{tensor}' must be an array");

        var numbers = new List<long>();
        foreach (JsonElement element in field.Value.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out long number) || number < 0)
                throw Broken(8, $"{field.Name} of tensor '{tensor}' must hold whole numbers that are not negative, but holds {element.GetRawText()}");

            numbers.Add(number);
        }

        return [.. numbers];
    }
}
