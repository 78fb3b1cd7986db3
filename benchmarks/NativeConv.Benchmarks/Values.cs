using NativeConv.Tensors;

namespace NativeConv.Benchmarks;

/// <summary>Memory for kernels.</summary>
internal static class Values
{
    private const int DistanceFloats = 256 * 1024 / sizeof(float);

    /// <summary>A block of random values, the same on every run, so small that sums stay normal however often they are added to.</summary>
    public static AlignedMemory Block(long length)
    {
        var block = new AlignedMemory(length);
        var random = new System.Random(1);
        foreach (ref float value in block.Span)
            value = (random.NextSingle() - 0.5f) * 1e-3f;

        return block;
    }

    /// <summary>Random pixels and labels of ten classes, the same on every run.</summary>
    public static void FillImages(Span<float> images, Span<int> labels)
    {
        var random = new System.Random(1);
        foreach (ref float pixel in images)
            pixel = random.Next(256);

        foreach (ref int label in labels)
            label = random.Next(10);
    }

    /// <summary>A block for each worker, so far from the next that no processor fetches another worker's values ahead while it changes them.</summary>
    public static AlignedMemory[] Blocks(int workers, long length) => [.. Enumerable.Range(0, workers).Select(_ => Block(length + DistanceFloats))];
}
