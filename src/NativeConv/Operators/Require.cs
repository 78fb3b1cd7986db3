namespace NativeConv.Operators;

/// <summary>Checks of operators' arguments.</summary>
internal static class Require
{
    /// <summary>The number of whole images that a span holds.</summary>
    public static int Images(ReadOnlySpan<float> values, long imageLength, string name) => values.Length % imageLength == 0
        ? (int)(values.Length / imageLength)
        : throw new ArgumentException($"{name} must hold whole images of {imageLength} values, but holds {values.Length}.", name);

    public static void Length(ReadOnlySpan<float> values, long expected, string name)
    {
        if (values.Length != expected)
            throw new ArgumentException($"{name} must hold {expected} values, but holds {values.Length}.", name);
    }

    public static void Positive(int value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least 1.");
    }
}
