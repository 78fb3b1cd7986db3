using System.Buffers.Binary;

namespace NativeConv.PublicApi.Tests;

/// <summary>A data set of a test's own in MNIST's files: drawing the built-in one takes longer than most trainings here.</summary>
internal static class DigitFiles
{
    public static void Write(string folder, Dataset train, Dataset test)
    {
        Directory.CreateDirectory(folder);
        Write(folder, "train", train);
        Write(folder, "t10k", test);
    }

    private static void Write(string folder, string part, Dataset data)
    {
        Write(Path.Combine(folder, $"{part}-images-idx3-ubyte"), data.Pixels.Span, data.Count, data.Shape.Height, data.Shape.Width);
        Write(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [.. data.Labels.Span.ToArray().Select(label => (byte)label)], data.Count);
    }

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
