using System.Buffers.Binary;
using System.IO.Compression;

namespace NativeConv.Data;

/// <summary>
/// The IDX format, raw or gzip: two zero bytes, the type (8 for bytes), the number of dimensions, each dimension as a big-endian 32-bit number, the values. Source: Yann
/// LeCun's description of the MNIST files.
/// </summary>
internal static class IdxFile
{
    private const byte UnsignedByte = 8;

    /// <summary>Tells this reader's errors from the decompressor's.</summary>
    private const string Thrower = nameof(IdxFile);

    /// <summary>What a gzip file may always unpack to, and how many times its own size. Images of digits take a fifth.</summary>
    private const long AlwaysUnpacked = 1 << 20, MostUnpacking = 100;

    /// <summary>The most bytes that a gzip file of a length may unpack to: a bomb's are a thousand times as many.</summary>
    public static long MostUnpacked(long length) => Math.Max(AlwaysUnpacked, MostUnpacking * length);

    /// <summary>Reads a file of bytes whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimensions">How many dimensions it must have.</param>
    /// <param name="what">What it should hold, for messages.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format, which the message names with its offset.</exception>
    public static (int[] Shape, byte[] Values) Read(string path, int dimensions, string what)
    {
        using FileStream file = File.OpenRead(path);
        return Read(file, path, dimensions, what);
    }

    /// <summary>Reads a stream of bytes whole.</summary>
    /// <param name="file">A file's contents, which can seek.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="dimensions">How many dimensions it must have.</param>
    /// <param name="what">What it should hold, for messages.</param>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format, which the message names with its offset.</exception>
    public static (int[] Shape, byte[] Values) Read(Stream file, string path, int dimensions, string what)
    {
        Span<byte> start = stackalloc byte[2];
        bool compressed = file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start is [0x1F, 0x8B];
        file.Position = 0;
        if (!compressed)
            return ReadRaw(file, file.Length, path, dimensions, what, long.MaxValue);

        try
        {
            using var unzipped = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
            (int[] Shape, byte[] Values) contents = ReadRaw(unzipped, null, path, dimensions, what, MostUnpacked(file.Length));
            RequireWholeGzip(file, path, 4 + (4 * dimensions) + contents.Values.Length);
            return contents;
        }
        catch (InvalidDataException e) when (e.Source != Thrower)
        {
            throw new InvalidDataException($"{path}: the gzip stream is corrupt near byte {file.Position} of {file.Length}: {e.Message}", e);
        }
    }

    /// <summary>A gzip file ends with the length of its contents; one that was cut in its last bytes does not.</summary>
    private static void RequireWholeGzip(Stream file, string path, int length)
    {
        Span<byte> end = stackalloc byte[4];
        file.Position = Math.Max(0, file.Length - end.Length);
        if (file.ReadAtLeast(end, end.Length, throwOnEndOfStream: false) < end.Length)
            throw new InvalidDataException($"{path}: the gzip stream has become shorter while it was read.") { Source = Thrower };

        uint told = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (told != length)
        {
            string rule = $"a gzip file must end with its contents' length, {length}, but ends with {told}; it may be truncated";
            throw new InvalidDataException($"{path}, byte {file.Length - end.Length}: {rule}.") { Source = Thrower };
        }
    }

    private static (int[] Shape, byte[] Values) ReadRaw(Stream stream, long? length, string path, int dimensions, string what, long most)
    {
        Span<byte> header = stackalloc byte[4 + (4 * dimensions)];
        int read = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read < 4)
            throw Broken(0, $"{what} must start with a header of {header.Length} bytes, but the file ends after {read}");

        if (header[0] != 0 || header[1] != 0)
            throw Broken(0, $"an IDX file starts with bytes 0 0, but this one with {header[0]} {header[1]}");

        if (header[2] != UnsignedByte)
            throw Broken(2, $"values must be of type {UnsignedByte} (unsigned byte), but the type is {header[2]}");

        if (header[3] != dimensions)
        {
            string rule = $"{what} must have {dimensions} dimension{(dimensions == 1 ? "" : "s")}, but the file has {header[3]}";
            throw Broken(3, $"{rule}; images have 3 and labels 1, so they may be swapped");
        }

        if (read < header.Length)
            throw Broken(read, $"the header must have {header.Length} bytes, but the file ends after {read}");

        int[] shape = new int[dimensions];
        long values = 1;
        for (int i = 0; i < dimensions; i++)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + (4 * i))..]);
            if (size is 0 or > int.MaxValue || values > Array.MaxLength / size)
                throw Broken(4 + (4 * i), $"dimension {i} is {size}: dimensions must be positive and an array hold all values");

            shape[i] = (int)size;
            values *= size;
        }

        if (length is { } known && known != header.Length + values)
            throw Broken(Math.Min(known, header.Length + values), $"{string.Join("x", shape)} values need {header.Length + values} bytes, but the file has {known}");

        // Before a value is unpacked.
        if (header.Length + values > most)
            throw Broken(4, $"{string.Join("x", shape)} values are {header.Length + values} bytes, but a gzip file of this size may not unpack to more than {most}");

        byte[] data = length != null ? new byte[values] : [];
        int filled = 0;
        while (filled < values)
        {
            // A compressed file is believed only as far as it has delivered.
            if (filled == data.Length)
                Array.Resize(ref data, (int)Math.Min(values, Math.Max(1 << 20, 2L * filled)));

            int got = stream.Read(data, filled, data.Length - filled);
            if (got == 0)
                throw Broken(header.Length + filled, $"{string.Join("x", shape)} values need {header.Length + values} bytes, but the data end after {header.Length + filled}");

            filled += got;
        }

        if (stream.ReadByte() >= 0)
            throw Broken(header.Length + values, $"{string.Join("x", shape)} values end here, but the file goes on");

        return (shape, data);

        InvalidDataException Broken(long offset, string rule) => new($"{path}, byte {offset}: {rule}.") { Source = Thrower };
    }
}
