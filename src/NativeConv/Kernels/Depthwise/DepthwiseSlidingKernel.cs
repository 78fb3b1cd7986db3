using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the sliding kernel computes: one row of results, or two that lie a dilation apart, of a 3 x 3 window whose pads equal its dilation.</summary>
internal unsafe struct SlidingTile
{
    /// <summary>The first pixel of the source row under the middle taps of the first result row.</summary>
    public float* Input;

    /// <summary>The first pixel of the first result row.</summary>
    public float* Output;

    /// <summary>Floats from one tap row to the next, in source and result.</summary>
    public nint Row;

    /// <summary>Floats from one pixel to the next.</summary>
    public nint Pixel;

    /// <summary>Pixels of a row, and how many lie between two taps.</summary>
    public int Columns, Dilation;

    /// <summary>The biases, and after them the nine taps' weights; floats from each of these to the next.</summary>
    public float* Packed;
    public nint PackedRow;

    public int Channels;
}

/// <summary>
/// Depthwise 3 x 3 at stride 1 and any dilation, result as large as its source. A lane is a channel. The nine weights stay in registers; a step
/// loads one source pixel of each row and adds it to the three results of a row that it touches, so that no pixel is loaded twice for a row, and two result rows share
/// two of their source rows. Columns fall into as many interleaved phases as the dilation. Taps outside the image are skipped. Every value
/// starts at its bias and adds kernel columns from the left, rows from the top within each.
/// </summary>
internal static unsafe class DepthwiseSlidingKernel
{
    /// <summary>Result rows of one call: nine weights, six results in flight, four source pixels and the bias need more than 16 registers.</summary>
    public static int MostRows<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32 ? 2 : 1;

    /// <summary>Computes one or two result rows; <paramref name="above"/> and <paramref name="below"/> tell whether the outermost source rows exist.</summary>
    public static void Run<TVector>(int rows, bool above, bool below, in SlidingTile tile)
        where TVector : struct, IVector<TVector>
    {
        switch (rows, above, below)
        {
            case (1, false, false):
                Run<TVector, N1, N0, N0>(in tile);
                break;
            case (1, true, false):
                Run<TVector, N1, N1, N0>(in tile);
                break;
            case (1, false, true):
                Run<TVector, N1, N0, N1>(in tile);
                break;
            case (1, true, true):
                Run<TVector, N1, N1, N1>(in tile);
                break;
            case (_, false, false):
                Run<TVector, N2, N0, N0>(in tile);
                break;
            case (_, true, false):
                Run<TVector, N2, N1, N0>(in tile);
                break;
            case (_, false, true):
                Run<TVector, N2, N0, N1>(in tile);
                break;
            default:
                Run<TVector, N2, N1, N1>(in tile);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows, TAbove, TBelow>(in SlidingTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TAbove : struct, ISize
        where TBelow : struct, ISize
    {
        int channel = 0;
        for (; channel + TVector.Lanes <= tile.Channels; channel += TVector.Lanes)
            ChannelVector<TVector, TRows, TAbove, TBelow, Whole>(in tile, channel, TVector.Lanes);

        if (channel < tile.Channels)
            ChannelVector<TVector, TRows, TAbove, TBelow, Partial>(in tile, channel, tile.Channels - channel);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ChannelVector<TVector, TRows, TAbove, TBelow, TEdge>(in SlidingTile tile, int channel, int count)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TAbove : struct, ISize
        where TBelow : struct, ISize
        where TEdge : struct, IEdge
    {
        float* w = tile.Packed + channel;
        nint next = tile.PackedRow;
        TVector bias = TVector.Load(w), w00 = TVector.Load(w += next), w01 = TVector.Load(w += next), w02 = TVector.Load(w += next);
        TVector w10 = TVector.Load(w += next), w11 = TVector.Load(w += next), w12 = TVector.Load(w += next);
        TVector w20 = TVector.Load(w += next), w21 = TVector.Load(w += next), w22 = TVector.Load(w + next);
        nint row = tile.Row, row2 = 2 * row, step = tile.Dilation * tile.Pixel;
        for (int phase = 0; phase < tile.Dilation && phase < tile.Columns; phase++)
        {
            float* x = tile.Input + channel + (phase * tile.Pixel);
            float* y = tile.Output + channel + (phase * tile.Pixel);
            TVector a0, a1 = bias, a2 = bias, b0, b1 = bias, b2 = bias;
            Add<TVector, TRows, TAbove, TBelow, TEdge>(x, row, row2, count, w01, w11, w21, w00, w10, w20, ref a1, ref a2, ref b1, ref b2);
            x += step;
            for (int left = (tile.Columns - phase - 1) / tile.Dilation; left > 0; left--)
            {
                TVector above = TVector.Zero, below = TVector.Zero;
                if (TAbove.Value > 0)
                    above = TEdge.Load<TVector>(x - row, count);

                TVector middle = TEdge.Load<TVector>(x, count);
                if (TRows.Value > 1 || TBelow.Value > 0)
                    below = TEdge.Load<TVector>(x + row, count);

                a0 = a1;
                a1 = a2;
                a2 = bias;
                if (TAbove.Value > 0)
                {
                    a0 = TVector.MultiplyAdd(above, w02, a0);
                    a1 = TVector.MultiplyAdd(above, w01, a1);
                    a2 = TVector.MultiplyAdd(above, w00, a2);
                }

                a0 = TVector.MultiplyAdd(middle, w12, a0);
                a1 = TVector.MultiplyAdd(middle, w11, a1);
                a2 = TVector.MultiplyAdd(middle, w10, a2);
                if (TRows.Value > 1 || TBelow.Value > 0)
                {
                    a0 = TVector.MultiplyAdd(below, w22, a0);
                    a1 = TVector.MultiplyAdd(below, w21, a1);
                    a2 = TVector.MultiplyAdd(below, w20, a2);
                }

                TEdge.Store(y, a0, count);
                if (TRows.Value > 1)
                {
                    b0 = TVector.MultiplyAdd(middle, w02, b1);
                    b1 = TVector.MultiplyAdd(middle, w01, b2);
                    b2 = TVector.MultiplyAdd(middle, w00, bias);
                    b0 = TVector.MultiplyAdd(below, w12, b0);
                    b1 = TVector.MultiplyAdd(below, w11, b1);
                    b2 = TVector.MultiplyAdd(below, w10, b2);
                    if (TBelow.Value > 0)
                    {
                        TVector last = TEdge.Load<TVector>(x + row2, count);
                        b0 = TVector.MultiplyAdd(last, w22, b0);
                        b1 = TVector.MultiplyAdd(last, w21, b1);
                        b2 = TVector.MultiplyAdd(last, w20, b2);
                    }

                    TEdge.Store(y + row, b0, count);
                }

                x += step;
                y += step;
            }

            TEdge.Store(y, a1, count);
            if (TRows.Value > 1)
                TEdge.Store(y + row, b1, count);
        }
    }

    /// <summary>Adds a source column under the middle taps to its own results, and under the left taps to the next column's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TRows, TAbove, TBelow, TEdge>(
        float* x, nint row, nint row2, int count, TVector w01, TVector w11, TVector w21, TVector w00, TVector w10, TVector w20,
        ref TVector a1, ref TVector a2, ref TVector b1, ref TVector b2)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TAbove : struct, ISize
        where TBelow : struct, ISize
        where TEdge : struct, IEdge
    {
        if (TAbove.Value > 0)
        {
            TVector above = TEdge.Load<TVector>(x - row, count);
            a1 = TVector.MultiplyAdd(above, w01, a1);
            a2 = TVector.MultiplyAdd(above, w00, a2);
        }

        TVector middle = TEdge.Load<TVector>(x, count);
        a1 = TVector.MultiplyAdd(middle, w11, a1);
        a2 = TVector.MultiplyAdd(middle, w10, a2);
        if (TRows.Value > 1)
        {
            b1 = TVector.MultiplyAdd(middle, w01, b1);
            b2 = TVector.MultiplyAdd(middle, w00, b2);
        }

        if (TRows.Value > 1 || TBelow.Value > 0)
        {
            TVector below = TEdge.Load<TVector>(x + row, count);
            a1 = TVector.MultiplyAdd(below, w21, a1);
            a2 = TVector.MultiplyAdd(below, w20, a2);
            if (TRows.Value > 1)
            {
                b1 = TVector.MultiplyAdd(below, w11, b1);
                b2 = TVector.MultiplyAdd(below, w10, b2);
            }
        }

        if (TRows.Value > 1 && TBelow.Value > 0)
        {
            TVector last = TEdge.Load<TVector>(x + row2, count);
            b1 = TVector.MultiplyAdd(last, w21, b1);
            b2 = TVector.MultiplyAdd(last, w20, b2);
        }
    }
}
