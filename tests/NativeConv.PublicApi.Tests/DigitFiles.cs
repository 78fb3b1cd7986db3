using System.Buffers.Binary;

namespace NativeConv.PublicApi.Tests;

/// <summary>Drawn digits as files in MNIST's format: a small data set for the trainer, since drawing its built-in one takes longer than a test's training.</summary>
internal static class DigitFiles
{
    /// <summary>Makes a folder with images to train on and for tests.</summary>
    public static void Write(string folder, int train, int test)
    {
        Directory.CreateDirectory(folder);
        Write(folder, "train", DrawnDigits.Create(train, seed: 1));
        Write(folder, "t10k", DrawnDigits.Create(test, seed: 2));
    }

    private static void Write(string folder, string part, Dataset digits)
    {
        Write(Path.Combine(folder, $"{part}-images-idx3-ubyte"), digits.Pixels.Span, digits.Count, 28, 28);
        Write(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [.. digits.Labels.Span.ToArray().Select(label => (byte)label)], digits.Count);
    }

    /// <summary>Writes bytes as an IDX file.</summary>
    private static void Write(string path, ReadOnlySpan<byte> values, params int[] dimensions)
    {
        byte[] header = new byte[4 + (4 * dimensions.Length)];
        header[2] = 8;
        header[3] = (byte)dimensions.Length;
        for (int i = 0; i < dimensions.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * i)), dimensions[i]);

        File.WriteAllBytes(path, [.. header, .. values]);
    }
}
