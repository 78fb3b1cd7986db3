using System.Buffers.Binary;

namespace NativeConv.Hostile;

/// <summary>Makes broken files of good ones: flipped bits, cuts, splices, truncation, and lengths, counts and numbers that are forged. Equal seeds give equal files.</summary>
/// <param name="originals">The good files.</param>
/// <param name="seed">What decides every change.</param>
/// <param name="forge">Forges something at a place by what it knows of the format; null for numbers, in bytes and written out.</param>
internal sealed class FileMutations(IReadOnlyList<byte[]> originals, int seed, Func<byte[], int, System.Random, byte[]>? forge = null)
{
    private const int LongestPart = 64;

    /// <summary>What numbers are forged to: around nothing, and around the edges of what readers compute with.</summary>
    private static readonly ulong[] Forged =
    [
        0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 65535, 65536, int.MaxValue - 1, int.MaxValue, 0x80000000, uint.MaxValue, 0x100000000,
        0x4000000000000000, long.MaxValue, 0x8000000000000000, ulong.MaxValue - 7, ulong.MaxValue,
    ];

    private static readonly string[] ForgedTexts =
    [
        "0", "1", "-1", "2", "7", "255", "65536", "2147483647", "2147483648", "-2147483649", "4294967296", "9223372036854775807", "18446744073709551616", "1e300", "1.5", "null",
        "true", "\"\"", "{}", "[]", ",", ":", "}", "]", "\"NaN\"",
    ];

    private readonly System.Random _random = new(seed);

    /// <summary>The next broken file, one to four changes from a good one.</summary>
    public byte[] Next()
    {
        byte[] file = [.. originals[_random.Next(originals.Count)]];
        for (int changes = _random.Next(1, 5); changes > 0; changes--)
            file = Change(file);

        return file;
    }

    private byte[] Change(byte[] file)
    {
        if (file.Length == 0)
            return [.. originals[_random.Next(originals.Count)]];

        int at = Place(file), length = _random.Next(1, Math.Min(LongestPart, file.Length - at + 1));
        switch (_random.Next(10))
        {
            case 0:
                return file[..at];
            case 1:
                return [.. file[..at], .. file[(at + length)..]];
            case 2:
                return [.. file[..at], .. file.AsSpan(at, length), .. file[at..]];
            case 3:
                byte[] other = originals[_random.Next(originals.Count)];
                int from = Place(other);
                return [.. file[..at], .. other[from..Math.Min(other.Length, from + length)], .. file[at..]];
            case 4 or 5 or 6 when forge != null:
                return forge(file, at, _random);
            case 4:
                return ForgeText(file, at);
            case 5 or 6:
                ForgeNumber(file, at);
                return file;
            case 7:
                file[at] = (byte)_random.Next(256);
                return file;
            default:
                file[at] ^= (byte)(1 << _random.Next(8));
                return file;
        }
    }

    /// <summary>As often as not near the start, where headers are.</summary>
    private int Place(byte[] file) => _random.Next(_random.Next(2) == 0 ? file.Length : Math.Min(file.Length, 512));

    /// <summary>Writes a number over 2, 4 or 8 bytes, in either order: a forged one, the file's length or what was there and little more or less.</summary>
    private void ForgeNumber(byte[] file, int at)
    {
        int size = 2 << _random.Next(3);
        if (at + size > file.Length)
            return;

        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        file.AsSpan(at, size).CopyTo(bytes);
        ulong value = _random.Next(4) switch
        {
            0 => (ulong)(file.Length + _random.Next(-16, 17)),
            1 => BinaryPrimitives.ReadUInt64LittleEndian(bytes) + (ulong)_random.Next(-2, 3),
            _ => Forged[_random.Next(Forged.Length)],
        };
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes = bytes[..size];
        if (_random.Next(2) == 0)
            bytes.Reverse();

        bytes.CopyTo(file.AsSpan(at));
    }

    /// <summary>Puts another number or piece of JSON in the place of the next number that is written out.</summary>
    private byte[] ForgeText(byte[] file, int at)
    {
        int start = file.AsSpan(at).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0)
            return file;

        start += at;
        int length = file.AsSpan(start).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        byte[] text = System.Text.Encoding.ASCII.GetBytes(ForgedTexts[_random.Next(ForgedTexts.Length)]);
        return [.. file[..start], .. text, .. length < 0 ? [] : file[(start + length)..]];
    }
}
