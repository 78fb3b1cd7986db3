namespace NativeConv.Kernels;

/// <summary>A row of x with zeros around the image, for kernels whose taps outside it are cheaper to add than to leave out.</summary>
internal static unsafe class PaddedRow
{
    /// <summary>
    /// Writes <paramref name="padding"/> zeros, then <paramref name="count"/> values <paramref name="step"/> floats apart, then zeros, as far as there is room; all zeros for a row outside the image.
    /// </summary>
    public static void Copy(float* image, int row, int rows, nint rowStep, int padding, int count, int step, Span<float> to)
    {
        if (row < 0 || row >= rows)
        {
            to.Clear();
            return;
        }

        padding = Math.Min(padding, to.Length);
        count = Math.Min(count, to.Length - padding);
        to[..padding].Clear();
        to[(padding + count)..].Clear();
        to = to.Slice(padding, count);
        float* from = image + (row * rowStep);
        if (step == 1)
        {
            new ReadOnlySpan<float>(from, count).CopyTo(to);
            return;
        }

        for (int i = 0; i < to.Length; i++)
            to[i] = from[(nint)i * step];
    }
}
