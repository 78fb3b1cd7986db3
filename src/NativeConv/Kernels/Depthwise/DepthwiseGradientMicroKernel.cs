using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the depthwise weight-gradient micro-kernel computes: up to 3 x 3 taps over a rectangle of output pixels.</summary>
internal unsafe struct DepthwiseGradientTile
{
    /// <summary>The input cell of the first pixel's first tap; floats to the next pixel's, and to the next line's.</summary>
    public float* Input;
    public nint InputPixel, InputLine;

    /// <summary>Floats from one tap's input to the next one's, down and across.</summary>
    public nint InputTapRow, InputTapColumn;

    /// <summary>dy of the first pixel; floats to the next pixel's, and to the next line's.</summary>
    public float* OutputGradient;
    public nint OutputPixel, OutputLine;

    public int Pixels, Lines;

    /// <summary>The first tap's gradient, added to; floats to the next tap's, down and across.</summary>
    public float* Gradient;
    public nint GradientTapRow, GradientTapColumn;

    public int Channels;
}

/// <summary>
/// The micro-kernel of depthwise weight gradients: gradient [tap, channel] += sum over pixels of input [pixel + tap, channel] * dy [pixel, channel]. A
/// lane is a channel; pixels are added in row order, in one fused chain that continues what the gradient holds. Registers: 9 accumulators, dy, and
/// inputs as operands in memory. Channels end in a masked vector.
/// </summary>
internal static unsafe class DepthwiseGradientMicroKernel
{
    public const int MaximumTaps = 3;

    public static void Run<TVector>(int tapRows, int tapColumns, in DepthwiseGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        switch (tapRows)
        {
            case 1:
                Run<TVector, N1>(tapColumns, in tile);
                break;
            case 2:
                Run<TVector, N2>(tapColumns, in tile);
                break;
            default:
                Run<TVector, N3>(tapColumns, in tile);
                break;
        }
    }

    private static void Run<TVector, TTapRows>(int tapColumns, in DepthwiseGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TTapRows : struct, ISize
    {
        switch (tapColumns)
        {
            case 1:
                Run<TVector, TTapRows, N1>(in tile);
                break;
            case 2:
                Run<TVector, TTapRows, N2>(in tile);
                break;
            default:
                Run<TVector, TTapRows, N3>(in tile);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TTapRows, TTapColumns>(in DepthwiseGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TTapRows : struct, ISize
        where TTapColumns : struct, ISize
    {
        int channel = 0;
        for (; channel + TVector.Lanes <= tile.Channels; channel += TVector.Lanes)
            Vector<TVector, TTapRows, TTapColumns, Whole>(in tile, channel, TVector.Lanes);

        if (channel < tile.Channels)
            Vector<TVector, TTapRows, TTapColumns, Partial>(in tile, channel, tile.Channels - channel);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Vector<TVector, TTapRows, TTapColumns, TEdge>(in DepthwiseGradientTile tile, int channel, int count)
        where TVector : struct, IVector<TVector>
        where TTapRows : struct, ISize
        where TTapColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector zero = TVector.Zero;
        TVector c00 = zero, c01 = zero, c02 = zero, c10 = zero, c11 = zero, c12 = zero, c20 = zero, c21 = zero, c22 = zero;
        float* g0 = tile.Gradient + channel;
        float* g1 = g0 + tile.GradientTapRow;
        float* g2 = g1 + tile.GradientTapRow;
        LoadRow<TVector, TTapColumns, TEdge>(g0, tile.GradientTapColumn, count, ref c00, ref c01, ref c02);
        if (TTapRows.Value > 1)
            LoadRow<TVector, TTapColumns, TEdge>(g1, tile.GradientTapColumn, count, ref c10, ref c11, ref c12);

        if (TTapRows.Value > 2)
            LoadRow<TVector, TTapColumns, TEdge>(g2, tile.GradientTapColumn, count, ref c20, ref c21, ref c22);

        nint column = tile.InputTapColumn, column2 = 2 * column;
        nint inputPixel = tile.InputPixel, outputPixel = tile.OutputPixel;
        float* inputLine = tile.Input + channel;
        float* outputLine = tile.OutputGradient + channel;
        for (int line = tile.Lines; line > 0; line--)
        {
            float* x0 = inputLine;
            float* x1 = x0 + tile.InputTapRow;
            float* x2 = x1 + tile.InputTapRow;
            float* dy = outputLine;
            for (int pixel = tile.Pixels; pixel > 0; pixel--)
            {
                TVector d = TEdge.Load<TVector>(dy, count);
                dy += outputPixel;
                c00 = TVector.MultiplyAdd(TEdge.Load<TVector>(x0, count), d, c00);
                if (TTapColumns.Value > 1)
                    c01 = TVector.MultiplyAdd(TEdge.Load<TVector>(x0 + column, count), d, c01);

                if (TTapColumns.Value > 2)
                    c02 = TVector.MultiplyAdd(TEdge.Load<TVector>(x0 + column2, count), d, c02);

                x0 += inputPixel;

                if (TTapRows.Value > 1)
                {
                    c10 = TVector.MultiplyAdd(TEdge.Load<TVector>(x1, count), d, c10);
                    if (TTapColumns.Value > 1)
                        c11 = TVector.MultiplyAdd(TEdge.Load<TVector>(x1 + column, count), d, c11);

                    if (TTapColumns.Value > 2)
                        c12 = TVector.MultiplyAdd(TEdge.Load<TVector>(x1 + column2, count), d, c12);

                    x1 += inputPixel;
                }

                if (TTapRows.Value > 2)
                {
                    c20 = TVector.MultiplyAdd(TEdge.Load<TVector>(x2, count), d, c20);
                    if (TTapColumns.Value > 1)
                        c21 = TVector.MultiplyAdd(TEdge.Load<TVector>(x2 + column, count), d, c21);

                    if (TTapColumns.Value > 2)
                        c22 = TVector.MultiplyAdd(TEdge.Load<TVector>(x2 + column2, count), d, c22);

                    x2 += inputPixel;
                }
            }

            inputLine += tile.InputLine;
            outputLine += tile.OutputLine;
        }

        StoreRow<TVector, TTapColumns, TEdge>(g0, tile.GradientTapColumn, count, c00, c01, c02);
        if (TTapRows.Value > 1)
            StoreRow<TVector, TTapColumns, TEdge>(g1, tile.GradientTapColumn, count, c10, c11, c12);

        if (TTapRows.Value > 2)
            StoreRow<TVector, TTapColumns, TEdge>(g2, tile.GradientTapColumn, count, c20, c21, c22);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadRow<TVector, TTapColumns, TEdge>(float* gradient, nint step, int count, ref TVector c0, ref TVector c1, ref TVector c2)
        where TVector : struct, IVector<TVector>
        where TTapColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        c0 = TEdge.Load<TVector>(gradient, count);
        if (TTapColumns.Value > 1)
            c1 = TEdge.Load<TVector>(gradient + step, count);

        if (TTapColumns.Value > 2)
            c2 = TEdge.Load<TVector>(gradient + (2 * step), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TVector, TTapColumns, TEdge>(float* gradient, nint step, int count, TVector c0, TVector c1, TVector c2)
        where TVector : struct, IVector<TVector>
        where TTapColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        TEdge.Store(gradient, c0, count);
        if (TTapColumns.Value > 1)
            TEdge.Store(gradient + step, c1, count);

        if (TTapColumns.Value > 2)
            TEdge.Store(gradient + (2 * step), c2, count);
    }
}
