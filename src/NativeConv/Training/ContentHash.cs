using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace NativeConv.Training;

/// <summary>SHA-256 of numbers and words, the same on every machine.</summary>
internal sealed class ContentHash : IDisposable
{
    private const int Block = 1 << 14;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Dispose() => _hash.Dispose();

    public void Add(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Adds a length and so many bytes of UTF-8.</summary>
    public void Add(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Add([bytes.Length]);
        Add(bytes);
    }

    public void Add(ReadOnlySpan<float> values) => Add(MemoryMarshal.Cast<float, int>(values));

    public void Add(ReadOnlySpan<int> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            Add(MemoryMarshal.AsBytes(values));
            return;
        }

        int[] turned = new int[Math.Min(Block, values.Length)];
        for (; !values.IsEmpty; values = values[Math.Min(Block, values.Length)..])
        {
            int count = Math.Min(Block, values.Length);
            BinaryPrimitives.ReverseEndianness(values[..count], turned);
            Add(MemoryMarshal.AsBytes(turned.AsSpan(0, count)));
        }
    }

    /// <summary>The hash in hexadecimal.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <summary>The hash of a model's parameters and their names.</summary>
    public static string Of(Model model)
    {
        using var hash = new ContentHash();
        foreach (Parameter parameter in model.Parameters)
        {
            hash.Add(parameter.Name);
            hash.Add(parameter.Value.Span);
        }

        return hash.Finish();
    }

    /// <summary>The hash of a data set's images and labels.</summary>
    public static string Of(Dataset data)
    {
        const int Images = 256;
        using var hash = new ContentHash();
        float[] images = new float[Math.Min(Images, data.Count) * data.Shape.Length];
        int[] indices = new int[Images];
        for (int first = 0; data.Pixels.IsEmpty && first < data.Count; first += Images)
        {
            int count = Math.Min(Images, data.Count - first);
            for (int i = 0; i < count; i++)
                indices[i] = first + i;

            data.CopyImages(indices.AsSpan(0, count), images);
            hash.Add(images.AsSpan(0, count * data.Shape.Length));
        }

        hash.Add(data.Pixels.Span);
        hash.Add(data.Labels.Span);
        return hash.Finish();
    }
}
