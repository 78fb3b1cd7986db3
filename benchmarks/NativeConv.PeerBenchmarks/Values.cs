namespace NativeConv.PeerBenchmarks;

/// <summary>Random inputs, the same on every run.</summary>
internal static class Values
{
    // Enough that no sum over pixels or channels repeats itself; drawing more would take longer than measuring.
    private const int Drawn = 1_000_003;

    /// <summary>Values from -1 to 1.</summary>
    public static Tensor Random(int seed, params ReadOnlySpan<int> dimensions)
    {
        var tensor = new Tensor(dimensions);
        var random = new System.Random(seed);
        Span<float> values = tensor.Span, drawn = values[..Math.Min(Drawn, values.Length)];
        foreach (ref float value in drawn)
            value = (2 * random.NextSingle()) - 1;

        for (int from = drawn.Length; from < values.Length; from += drawn.Length)
            drawn[..Math.Min(drawn.Length, values.Length - from)].CopyTo(values[from..]);

        return tensor;
    }
}
