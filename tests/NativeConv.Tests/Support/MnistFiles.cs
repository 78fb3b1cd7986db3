using System.Buffers.Binary;
using System.IO.Compression;

namespace NativeConv.Tests.Support;

/// <summary>Small files in MNIST's format.</summary>
internal static class MnistFiles
{
    public static readonly string[] Names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    public static byte[] Idx(int[] shape, Func<int, byte> value)
    {
        int count = shape.Aggregate(1, (product, size) => product * size);
        byte[] file = new byte[4 + (4 * shape.Length) + count];
        file[2] = 8;
        file[3] = (byte)shape.Length;
        for (int i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * i)), shape[i]);

        for (int i = 0; i < count; i++)
            file[file.Length - count + i] = value(i);

        return file;
    }

    public static byte[] Images(int count) => Idx([count, 28, 28], i => (byte)(i * 31));

    public static byte[] Labels(int count) => Idx([count], i => (byte)(i % 10));

    public static byte[] Gzip(byte[] file)
    {
        using var to = new MemoryStream();
        using (var zip = new GZipStream(to, CompressionLevel.Fastest))
            zip.Write(file);

        return to.ToArray();
    }

    /// <summary>The four files, 30 images to train on and 20 for tests.</summary>
    public static byte[][] All() => [Images(30), Labels(30), Images(20), Labels(20)];

    public static void Write(string folder, bool compressed)
    {
        byte[][] files = All();
        for (int i = 0; i < files.Length; i++)
            File.WriteAllBytes(Path.Combine(folder, Names[i] + (compressed ? ".gz" : "")), compressed ? Gzip(files[i]) : files[i]);
    }
}
