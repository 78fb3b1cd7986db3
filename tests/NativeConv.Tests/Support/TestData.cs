using NativeConv.Random;

namespace NativeConv.Tests.Support;

/// <summary>Values for tests: equal seeds give equal values on every machine.</summary>
public static class TestData
{
    // No purpose of the library's own, so that a test's data and what it tests never share numbers.
    private const StreamPurpose Purpose = (StreamPurpose)255;

    /// <summary>
    /// Whole numbers from -<paramref name="magnitude"/> to +<paramref name="magnitude"/>. Sums of products of two such arrays are exact
    /// in float32, in any order, while terms * magnitude^2 stays below 2^24, so that results can be compared for equality.
    /// </summary>
    public static float[] Integers(int length, ulong seed, int magnitude = 4)
    {
        RandomStream random = Stream(seed);
        var values = new float[length];
        foreach (ref float value in values.AsSpan())
            value = (int)random.NextBelow((2 * (uint)magnitude) + 1) - magnitude;
        return values;
    }

    /// <summary>Uniform in [low, high).</summary>
    public static float[] Uniform(int length, ulong seed, float low = -1, float high = 1)
    {
        RandomStream random = Stream(seed);
        var values = new float[length];
        foreach (ref float value in values.AsSpan())
            value = low + ((high - low) * random.NextSingle());
        return values;
    }

    /// <summary>Class labels from 0 to classes - 1.</summary>
    public static int[] Labels(int length, int classes, ulong seed)
    {
        RandomStream random = Stream(seed);
        var labels = new int[length];
        foreach (ref int label in labels.AsSpan())
            label = (int)random.NextBelow((uint)classes);
        return labels;
    }

    public static double[] ToDouble(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), value => (double)value);

    /// <summary>Rounds each value to float32: exact for whole numbers.</summary>
    public static float[] ToSingle(ReadOnlySpan<double> values) => Array.ConvertAll(values.ToArray(), value => (float)value);

    internal static RandomStream Stream(ulong seed, ulong index = 0) => new(seed, Purpose, index);
}
