using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the micro-kernel computes: some tiles of consecutive pixels, times one block of output channels.</summary>
internal unsafe struct ConvolutionTile
{
    /// <summary>The input cell of the first pixel's first tap.</summary>
    public float* Input;

    /// <summary>Floats from one pixel's input to the next one's.</summary>
    public nint InputStride;

    /// <summary>The first output value of the first pixel.</summary>
    public float* Output;

    /// <summary>Floats from one pixel's output to the next one's.</summary>
    public nint OutputStride;

    /// <summary>The block's packed weights: the biases, then a row of weights for each tap and input channel.</summary>
    public float* Weights;

    /// <summary>Floats from the block's start to the first tap's weights.</summary>
    public nint FirstTap;

    /// <summary>Tap rows and columns inside the image, and floats from one to the next, in the input and in the weights.</summary>
    public int TapRows, TapColumns;
    public nint InputTapRow, InputTapColumn, WeightTapRow, WeightTapColumn;

    /// <summary>Input channels that a tap sums over.</summary>
    public int Channels;

    /// <summary>Output channels of the block that exist: at most its vectors times the lanes.</summary>
    public int OutputChannels;

    /// <summary>How many tiles follow each other.</summary>
    public int Tiles;
}

/// <summary>
/// The micro-kernel: output [pixels, channels] += taps [pixels, channels in] x weights [channels in, channels], both in memory as they are.
/// A lane is an output channel; every value starts at its bias and adds taps row by row, channels ascending, in one fused chain, so that a
/// tile's size never changes a bit. Registers: rows x columns accumulators, a weight vector for each column and one broadcast:
/// 14 x 2 + 2 + 1 = 31 of 32, or 6 x 2 + 2 + 1 = 15 of 16. Every read lies inside the taps that the caller found to be inside the image; weights are
/// padded to whole vectors, and the last vector is stored in part.
/// </summary>
internal static unsafe class ConvolutionMicroKernel
{
    /// <summary>The most pixels a tile holds.</summary>
    public static int MaximumRows<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32 ? 14 : 6;

    public static void Run<TVector>(int rows, int columns, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (columns == 2)
            Run<TVector, N2>(rows, in tile);
        else
            Run<TVector, N1>(rows, in tile);
    }

    private static void Run<TVector, TColumns>(int rows, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        switch (rows)
        {
            case 1:
                Run<TVector, N1, TColumns>(in tile);
                break;
            case 2:
                Run<TVector, N2, TColumns>(in tile);
                break;
            case 3:
                Run<TVector, N3, TColumns>(in tile);
                break;
            case 4:
                Run<TVector, N4, TColumns>(in tile);
                break;
            case 5:
                Run<TVector, N5, TColumns>(in tile);
                break;
            case 6:
                Run<TVector, N6, TColumns>(in tile);
                break;
            case 7:
                Run<TVector, N7, TColumns>(in tile);
                break;
            case 8:
                Run<TVector, N8, TColumns>(in tile);
                break;
            case 9:
                Run<TVector, N9, TColumns>(in tile);
                break;
            case 10:
                Run<TVector, N10, TColumns>(in tile);
                break;
            case 11:
                Run<TVector, N11, TColumns>(in tile);
                break;
            case 12:
                Run<TVector, N12, TColumns>(in tile);
                break;
            case 13:
                Run<TVector, N13, TColumns>(in tile);
                break;
            default:
                Run<TVector, N14, TColumns>(in tile);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows, TColumns>(in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        int lanes = TVector.Lanes;
        nint stride = tile.InputStride, stride2 = 2 * stride;
        float* input = tile.Input;
        float* output = tile.Output;
        for (int remaining = tile.Tiles; remaining > 0; remaining--)
        {
            TVector bias0 = TVector.Load(tile.Weights);
            TVector bias1 = TColumns.Value == 2 ? TVector.Load(tile.Weights + lanes) : bias0;
            TVector c0x = bias0, c1x = bias0, c2x = bias0, c3x = bias0, c4x = bias0, c5x = bias0, c6x = bias0;
            TVector c7x = bias0, c8x = bias0, c9x = bias0, c10x = bias0, c11x = bias0, c12x = bias0, c13x = bias0;
            TVector c0y = bias1, c1y = bias1, c2y = bias1, c3y = bias1, c4y = bias1, c5y = bias1, c6y = bias1;
            TVector c7y = bias1, c8y = bias1, c9y = bias1, c10y = bias1, c11y = bias1, c12y = bias1, c13y = bias1;
            float* inputRow = input;
            float* weightRow = tile.Weights + tile.FirstTap;
            for (int tapRow = tile.TapRows; tapRow > 0; tapRow--)
            {
                float* a0 = inputRow;
                float* weightColumn = weightRow;
                for (int tapColumn = tile.TapColumns; tapColumn > 0; tapColumn--)
                {
                    float* a3 = a0 + stride2 + stride;
                    float* a6 = a3 + stride2 + stride;
                    float* a9 = a6 + stride2 + stride;
                    float* a12 = a9 + stride2 + stride;
                    float* w = weightColumn;
                    for (nint channel = tile.Channels; channel > 0; channel--)
                    {
                        TVector w0 = TVector.Load(w);
                        TVector w1 = TColumns.Value == 2 ? TVector.Load(w + lanes) : w0;
                        w += TColumns.Value * lanes;
                        TVector a = TVector.Broadcast(a0[0]);
                        c0x = TVector.MultiplyAdd(a, w0, c0x);
                        if (TColumns.Value == 2)
                            c0y = TVector.MultiplyAdd(a, w1, c0y);

                        if (TRows.Value > 1)
                        {
                            a = TVector.Broadcast(a0[stride]);
                            c1x = TVector.MultiplyAdd(a, w0, c1x);
                            if (TColumns.Value == 2)
                                c1y = TVector.MultiplyAdd(a, w1, c1y);
                        }

                        if (TRows.Value > 2)
                        {
                            a = TVector.Broadcast(a0[stride2]);
                            c2x = TVector.MultiplyAdd(a, w0, c2x);
                            if (TColumns.Value == 2)
                                c2y = TVector.MultiplyAdd(a, w1, c2y);
                        }

                        if (TRows.Value > 3)
                        {
                            a = TVector.Broadcast(a3[0]);
                            c3x = TVector.MultiplyAdd(a, w0, c3x);
                            if (TColumns.Value == 2)
                                c3y = TVector.MultiplyAdd(a, w1, c3y);
                        }

                        if (TRows.Value > 4)
                        {
                            a = TVector.Broadcast(a3[stride]);
                            c4x = TVector.MultiplyAdd(a, w0, c4x);
                            if (TColumns.Value == 2)
                                c4y = TVector.MultiplyAdd(a, w1, c4y);
                        }

                        if (TRows.Value > 5)
                        {
                            a = TVector.Broadcast(a3[stride2]);
                            c5x = TVector.MultiplyAdd(a, w0, c5x);
                            if (TColumns.Value == 2)
                                c5y = TVector.MultiplyAdd(a, w1, c5y);
                        }

                        if (TRows.Value > 6)
                        {
                            a = TVector.Broadcast(a6[0]);
                            c6x = TVector.MultiplyAdd(a, w0, c6x);
                            if (TColumns.Value == 2)
                                c6y = TVector.MultiplyAdd(a, w1, c6y);
                        }

                        if (TRows.Value > 7)
                        {
                            a = TVector.Broadcast(a6[stride]);
                            c7x = TVector.MultiplyAdd(a, w0, c7x);
                            if (TColumns.Value == 2)
                                c7y = TVector.MultiplyAdd(a, w1, c7y);
                        }

                        if (TRows.Value > 8)
                        {
                            a = TVector.Broadcast(a6[stride2]);
                            c8x = TVector.MultiplyAdd(a, w0, c8x);
                            if (TColumns.Value == 2)
                                c8y = TVector.MultiplyAdd(a, w1, c8y);
                        }

                        if (TRows.Value > 9)
                        {
                            a = TVector.Broadcast(a9[0]);
                            c9x = TVector.MultiplyAdd(a, w0, c9x);
                            if (TColumns.Value == 2)
                                c9y = TVector.MultiplyAdd(a, w1, c9y);
                        }

                        if (TRows.Value > 10)
                        {
                            a = TVector.Broadcast(a9[stride]);
                            c10x = TVector.MultiplyAdd(a, w0, c10x);
                            if (TColumns.Value == 2)
                                c10y = TVector.MultiplyAdd(a, w1, c10y);
                        }

                        if (TRows.Value > 11)
                        {
                            a = TVector.Broadcast(a9[stride2]);
                            c11x = TVector.MultiplyAdd(a, w0, c11x);
                            if (TColumns.Value == 2)
                                c11y = TVector.MultiplyAdd(a, w1, c11y);
                        }

                        if (TRows.Value > 12)
                        {
                            a = TVector.Broadcast(a12[0]);
                            c12x = TVector.MultiplyAdd(a, w0, c12x);
                            if (TColumns.Value == 2)
                                c12y = TVector.MultiplyAdd(a, w1, c12y);
                        }

                        if (TRows.Value > 13)
                        {
                            a = TVector.Broadcast(a12[stride]);
                            c13x = TVector.MultiplyAdd(a, w0, c13x);
                            if (TColumns.Value == 2)
                                c13y = TVector.MultiplyAdd(a, w1, c13y);
                        }

                        a0++;
                        if (TRows.Value > 3)
                            a3++;
                        if (TRows.Value > 6)
                            a6++;
                        if (TRows.Value > 9)
                            a9++;
                        if (TRows.Value > 12)
                            a12++;
                    }

                    // The pointer walked over the channels: back to the pixel, on to the next tap.
                    a0 += tile.InputTapColumn - tile.Channels;
                    weightColumn += tile.WeightTapColumn;
                }

                inputRow += tile.InputTapRow;
                weightRow += tile.WeightTapRow;
            }

            int last = tile.OutputChannels - ((TColumns.Value - 1) * lanes);
            float* y = output;
            Store<TVector, TColumns>(y, c0x, c0y, last);
            y += tile.OutputStride;

            if (TRows.Value > 1)
            {
                Store<TVector, TColumns>(y, c1x, c1y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 2)
            {
                Store<TVector, TColumns>(y, c2x, c2y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 3)
            {
                Store<TVector, TColumns>(y, c3x, c3y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 4)
            {
                Store<TVector, TColumns>(y, c4x, c4y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 5)
            {
                Store<TVector, TColumns>(y, c5x, c5y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 6)
            {
                Store<TVector, TColumns>(y, c6x, c6y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 7)
            {
                Store<TVector, TColumns>(y, c7x, c7y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 8)
            {
                Store<TVector, TColumns>(y, c8x, c8y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 9)
            {
                Store<TVector, TColumns>(y, c9x, c9y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 10)
            {
                Store<TVector, TColumns>(y, c10x, c10y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 11)
            {
                Store<TVector, TColumns>(y, c11x, c11y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 12)
            {
                Store<TVector, TColumns>(y, c12x, c12y, last);
                y += tile.OutputStride;
            }

            if (TRows.Value > 13)
            {
                Store<TVector, TColumns>(y, c13x, c13y, last);
                y += tile.OutputStride;
            }

            input += TRows.Value * stride;
            output = y;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TColumns>(float* y, TVector first, TVector second, int last)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        if (TColumns.Value == 2)
        {
            TVector.Store(y, first);
            StoreUpTo(y + TVector.Lanes, second, last);
        }
        else
        {
            StoreUpTo(y, first, last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreUpTo<TVector>(float* y, TVector value, int count)
        where TVector : struct, IVector<TVector>
    {
        if (count == TVector.Lanes)
            TVector.Store(y, value);
        else
            TVector.StorePartial(y, value, count);
    }
}
