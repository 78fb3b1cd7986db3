using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the sliding gradient kernel computes: some rows that follow each other, of a 3 x 3 window whose pads equal its dilation.</summary>
internal unsafe struct SlidingGradientTile
{
    /// <summary>The first pixel of the first row in x, in dy and, where its gradient is wanted, in dx.</summary>
    public float* Input, OutputGradient, InputGradient;

    /// <summary>Floats from one row to the next, and from one pixel to the next: negative, for rows and pixels are visited from the last to the first.</summary>
    public nint Row, Pixel;

    /// <summary>Rows to visit, pixels of a row, and how many lie between two taps.</summary>
    public int Rows, Columns, Dilation;

    /// <summary>The nine taps' weights; floats from each to the next.</summary>
    public float* Weights;
    public nint WeightTap;

    /// <summary>The nine taps' gradients, added to; floats from each to the next.</summary>
    public float* Gradient;
    public nint GradientTap;

    public int Channels;
}

/// <summary>
/// Gradients of depthwise 3 x 3 at stride 1 and any dilation, output as large as its input. A lane is a channel. Rows and columns are visited from the
/// last, so that dy under the flipped taps comes in the kernel's order: a step loads one pixel of each of three rows of dy and of one row of x,
/// adds dy times weights to the three pixels of dx in flight, and dy times the three pixels of x in flight to the nine gradients. Both gradients in one sweep
/// need 32 registers: nine weights, nine gradients, three pixels each of dx, x and dy; with fewer only the weight gradient is computed, in the same order.
/// </summary>
internal static unsafe class DepthwiseSlidingGradientKernel
{
    /// <summary>Whether one sweep can compute the input gradient too.</summary>
    public static bool InOneSweep<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32;

    /// <summary>Visits the rows of all channels; <paramref name="above"/> and <paramref name="below"/> tell whether the outer rows of dy exist, in the order of the visit.</summary>
    public static void Run<TVector>(bool above, bool below, in SlidingGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (tile.InputGradient == null)
            Run<TVector, N0>(above, below, in tile);
        else
            Run<TVector, N1>(above, below, in tile);
    }

    private static void Run<TVector, TBoth>(bool above, bool below, in SlidingGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TBoth : struct, ISize
    {
        switch (above, below)
        {
            case (false, false):
                Run<TVector, TBoth, N0, N0>(in tile);
                break;
            case (true, false):
                Run<TVector, TBoth, N1, N0>(in tile);
                break;
            case (false, true):
                Run<TVector, TBoth, N0, N1>(in tile);
                break;
            default:
                Run<TVector, TBoth, N1, N1>(in tile);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TBoth, TAbove, TBelow>(in SlidingGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TBoth : struct, ISize
        where TAbove : struct, ISize
        where TBelow : struct, ISize
    {
        int channel = 0;
        for (; channel + TVector.Lanes <= tile.Channels; channel += TVector.Lanes)
            ChannelVector<TVector, TBoth, TAbove, TBelow, Whole>(in tile, channel, TVector.Lanes);

        if (channel < tile.Channels)
            ChannelVector<TVector, TBoth, TAbove, TBelow, Partial>(in tile, channel, tile.Channels - channel);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ChannelVector<TVector, TBoth, TAbove, TBelow, TEdge>(in SlidingGradientTile tile, int channel, int count)
        where TVector : struct, IVector<TVector>
        where TBoth : struct, ISize
        where TAbove : struct, ISize
        where TBelow : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector w00, w01, w02, w10, w11, w12, w20, w21, w22;
        if (TBoth.Value > 0)
        {
            float* w = tile.Weights + channel;
            nint next = tile.WeightTap;
            w00 = TVector.Load(w);
            w01 = TVector.Load(w += next);
            w02 = TVector.Load(w += next);
            w10 = TVector.Load(w += next);
            w11 = TVector.Load(w += next);
            w12 = TVector.Load(w += next);
            w20 = TVector.Load(w += next);
            w21 = TVector.Load(w += next);
            w22 = TVector.Load(w + next);
        }
        else
        {
            w00 = w01 = w02 = w10 = w11 = w12 = w20 = w21 = w22 = TVector.Zero;
        }

        float* gradient = tile.Gradient + channel;
        nint tap = tile.GradientTap;
        TVector g00 = TVector.Zero, g01 = g00, g02 = g00, g20 = g00, g21 = g00, g22 = g00;
        if (TAbove.Value > 0)
        {
            g00 = TEdge.Load<TVector>(gradient, count);
            g01 = TEdge.Load<TVector>(gradient + tap, count);
            g02 = TEdge.Load<TVector>(gradient + (2 * tap), count);
        }

        TVector g10 = TEdge.Load<TVector>(gradient + (3 * tap), count);
        TVector g11 = TEdge.Load<TVector>(gradient + (4 * tap), count);
        TVector g12 = TEdge.Load<TVector>(gradient + (5 * tap), count);
        if (TBelow.Value > 0)
        {
            g20 = TEdge.Load<TVector>(gradient + (6 * tap), count);
            g21 = TEdge.Load<TVector>(gradient + (7 * tap), count);
            g22 = TEdge.Load<TVector>(gradient + (8 * tap), count);
        }

        nint tapRow = tile.Dilation * tile.Row, step = tile.Dilation * tile.Pixel;
        float* xRow = tile.Input + channel;
        nint toOutput = (nint)(tile.OutputGradient - tile.Input), toGradient = TBoth.Value > 0 ? (nint)(tile.InputGradient - tile.Input) : 0;
        for (int rows = tile.Rows; rows > 0; rows--)
        {
            float* xPhase = xRow;
            for (int phase = 0; phase < tile.Dilation && phase < tile.Columns; phase++)
            {
                float* x = xPhase;
                TVector x1 = TEdge.Load<TVector>(x, count), x2 = TVector.Zero;
                TVector d1 = TVector.Zero, d2 = d1;
                int left = (tile.Columns - phase - 1) / tile.Dilation;
                if (left > 0)
                    x2 = TEdge.Load<TVector>(x + step, count);

                if (TAbove.Value > 0)
                {
                    TVector dy = TEdge.Load<TVector>(x + toOutput - tapRow, count);
                    g01 = TVector.MultiplyAdd(x1, dy, g01);
                    g00 = TVector.MultiplyAdd(x2, dy, g00);
                    if (TBoth.Value > 0)
                    {
                        d1 = TVector.MultiplyAdd(dy, w01, d1);
                        d2 = TVector.MultiplyAdd(dy, w00, d2);
                    }
                }

                {
                    TVector dy = TEdge.Load<TVector>(x + toOutput, count);
                    g11 = TVector.MultiplyAdd(x1, dy, g11);
                    g10 = TVector.MultiplyAdd(x2, dy, g10);
                    if (TBoth.Value > 0)
                    {
                        d1 = TVector.MultiplyAdd(dy, w11, d1);
                        d2 = TVector.MultiplyAdd(dy, w10, d2);
                    }
                }

                if (TBelow.Value > 0)
                {
                    TVector dy = TEdge.Load<TVector>(x + toOutput + tapRow, count);
                    g21 = TVector.MultiplyAdd(x1, dy, g21);
                    g20 = TVector.MultiplyAdd(x2, dy, g20);
                    if (TBoth.Value > 0)
                    {
                        d1 = TVector.MultiplyAdd(dy, w21, d1);
                        d2 = TVector.MultiplyAdd(dy, w20, d2);
                    }
                }

                // Each round finishes one pixel of dx; the last has no right neighbour.
                for (; left > 0; left--)
                {
                    TVector x0 = x1, d0 = d1;
                    x1 = x2;
                    d1 = d2;
                    x2 = TVector.Zero;
                    d2 = TVector.Zero;
                    x += step;
                    if (left > 1)
                        x2 = TEdge.Load<TVector>(x + step, count);

                    if (TAbove.Value > 0)
                    {
                        TVector dy = TEdge.Load<TVector>(x + toOutput - tapRow, count);
                        g02 = TVector.MultiplyAdd(x0, dy, g02);
                        g01 = TVector.MultiplyAdd(x1, dy, g01);
                        g00 = TVector.MultiplyAdd(x2, dy, g00);
                        if (TBoth.Value > 0)
                        {
                            d0 = TVector.MultiplyAdd(dy, w02, d0);
                            d1 = TVector.MultiplyAdd(dy, w01, d1);
                            d2 = TVector.MultiplyAdd(dy, w00, d2);
                        }
                    }

                    {
                        TVector dy = TEdge.Load<TVector>(x + toOutput, count);
                        g12 = TVector.MultiplyAdd(x0, dy, g12);
                        g11 = TVector.MultiplyAdd(x1, dy, g11);
                        g10 = TVector.MultiplyAdd(x2, dy, g10);
                        if (TBoth.Value > 0)
                        {
                            d0 = TVector.MultiplyAdd(dy, w12, d0);
                            d1 = TVector.MultiplyAdd(dy, w11, d1);
                            d2 = TVector.MultiplyAdd(dy, w10, d2);
                        }
                    }

                    if (TBelow.Value > 0)
                    {
                        TVector dy = TEdge.Load<TVector>(x + toOutput + tapRow, count);
                        g22 = TVector.MultiplyAdd(x0, dy, g22);
                        g21 = TVector.MultiplyAdd(x1, dy, g21);
                        g20 = TVector.MultiplyAdd(x2, dy, g20);
                        if (TBoth.Value > 0)
                        {
                            d0 = TVector.MultiplyAdd(dy, w22, d0);
                            d1 = TVector.MultiplyAdd(dy, w21, d1);
                            d2 = TVector.MultiplyAdd(dy, w20, d2);
                        }
                    }

                    if (TBoth.Value > 0)
                        TEdge.Store(x + toGradient - step, d0, count);
                }

                if (TBoth.Value > 0)
                    TEdge.Store(x + toGradient, d1, count);

                xPhase += tile.Pixel;
            }

            xRow += tile.Row;
        }

        if (TAbove.Value > 0)
        {
            TEdge.Store(gradient, g00, count);
            TEdge.Store(gradient + tap, g01, count);
            TEdge.Store(gradient + (2 * tap), g02, count);
        }

        TEdge.Store(gradient + (3 * tap), g10, count);
        TEdge.Store(gradient + (4 * tap), g11, count);
        TEdge.Store(gradient + (5 * tap), g12, count);
        if (TBelow.Value > 0)
        {
            TEdge.Store(gradient + (6 * tap), g20, count);
            TEdge.Store(gradient + (7 * tap), g21, count);
            TEdge.Store(gradient + (8 * tap), g22, count);
        }
    }
}
