namespace NativeConv.Onnx;

/// <summary>Weights between the library's layouts and ONNX'. Each transposition is its own inverse with the sizes swapped.</summary>
internal static class WeightLayout
{
    /// <summary>
    /// [a, b, c] to [c, b, a]: a convolution's kernel [taps, channels/groups, filters] to ONNX' [filters, channels/groups, taps] and back, a depthwise one's
    /// being [taps, 1, channels*multiplier].
    /// </summary>
    public static void Reverse(ReadOnlySpan<float> from, int a, int b, int c, Span<float> to)
    {
        int at = 0;
        for (int i = 0; i < a; i++)
        {
            for (int j = 0; j < b; j++)
            {
                for (int k = 0; k < c; k++)
                    to[(((k * b) + j) * a) + i] = from[at++];
            }
        }
    }

    /// <summary>Rows of a matrix [a * b, columns] from order (a, b) to order (b, a): a dense kernel's inputs from (pixel, channel) to (channel, pixel).</summary>
    public static void SwapRows(ReadOnlySpan<float> from, int a, int b, int columns, Span<float> to)
    {
        for (int i = 0; i < a; i++)
        {
            for (int j = 0; j < b; j++)
                from.Slice(((i * b) + j) * columns, columns).CopyTo(to[(((j * a) + i) * columns)..]);
        }
    }
}
