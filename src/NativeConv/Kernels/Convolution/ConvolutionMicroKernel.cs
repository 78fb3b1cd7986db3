using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the micro-kernel computes: tiles of consecutive pixels in some lines, times one block of output channels.</summary>
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

    /// <summary>Input channels that a tap sums over, and floats from one to the next.</summary>
    public int Channels;
    public nint ChannelStep;

    /// <summary>Output channels of the block that exist: at most its vectors times the lanes.</summary>
    public int OutputChannels;

    /// <summary>How many tiles follow each other in a line, how many lines there are, and floats from one to the next.</summary>
    public int Tiles, Lines;
    public nint InputLine, OutputLine;

    /// <summary>What results go through.</summary>
    public Rectifier Rectifier;

    /// <summary>What tiles with one tap in a row ask for while they are computed; null for nothing.</summary>
    public FetchQueue* Ahead;
}

/// <summary>
/// The micro-kernel: output [pixels, channels] += taps [pixels, channels in] x weights [channels in, channels], both in memory as they are.
/// A lane is an output channel; every value starts at its bias and adds taps row by row, channels ascending, in one fused chain, so that a
/// tile's size never changes a bit. Registers: rows x columns accumulators, a weight vector for each column and one broadcast:
/// 14 x 2 + 2 + 1 = 31 of 32, or 6 x 2 + 2 + 1 = 15 of 16, where a single column has 12 x 1 + 1 + 1: 6 sums would wait for each other. Every read lies inside the taps that the caller found to be inside the image; weights are
/// padded to whole vectors, and the last vector is stored in part.
/// </summary>
internal static unsafe class ConvolutionMicroKernel
{
    /// <summary>The most pixels a tile of one or two vectors holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MaximumRows<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32 ? 14 : 6;

    /// <summary>The most vectors of outputs that a block has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MaximumColumns<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32 ? 4 : 2;

    /// <summary>The most pixels a tile of so many vectors holds.</summary>
    public static int MaximumRows<TVector>(int columns)
        where TVector : struct, IVector<TVector> => columns switch
        {
            4 => WideConvolutionMicroKernel.RowsOfFour,
            3 => WideConvolutionMicroKernel.RowsOfThree,
            _ => MaximumRows<TVector>(),
        };

    /// <summary>Whether every two tiles are computed as one.</summary>
    private static bool RunsPairs<TVector>(int rows, int columns)
        where TVector : struct, IVector<TVector> => columns == 1 && TVector.Registers < 32 && rows >= 4;

    public static void Run<TVector>(int rows, int columns, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (MaximumColumns<TVector>() > 2)
        {
            if (columns > 2)
            {
                WideConvolutionMicroKernel.Run<TVector>(rows, columns, in tile);
                return;
            }
        }

        if (RunsPairs<TVector>(rows, columns))
            RunPairs<TVector>(rows, tile);
        else if (columns == 2)
            Run<TVector, N2>(rows, in tile);
        else
            Run<TVector, N1>(rows, in tile);
    }

    /// <summary>Two tiles of one column as one, which has enough sums of its own.</summary>
    private static void RunPairs<TVector>(int rows, ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
    {
        int tiles = tile.Tiles;
        tile.Tiles = tiles / 2;
        if (tile.Tiles > 0)
        {
            if (rows == 4)
                Run<TVector, N8, N1>(in tile);
            else if (rows == 5)
                Run<TVector, N10, N1>(in tile);
            else
                Run<TVector, N12, N1>(in tile);
        }

        if (tiles % 2 == 0)
            return;

        nint done = (nint)rows * (tiles - 1);
        tile.Tiles = 1;
        tile.Input += done * tile.InputStride;
        tile.Output += done * tile.OutputStride;
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
            default:
                RunMore<TVector, TColumns>(rows, in tile);
                break;
        }
    }

    /// <summary>Tiles that only vector types with many registers have.</summary>
    private static void RunMore<TVector, TColumns>(int rows, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        if (MaximumRows<TVector>() <= 6)
            throw SizeDispatch.Outside(rows);

        switch (rows)
        {
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

    private static void Run<TVector, TRows, TColumns>(in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        if (tile.OutputChannels == TColumns.Value * TVector.Lanes)
            Run<TVector, TRows, TColumns, Whole>(in tile);
        else
            Run<TVector, TRows, TColumns, Partial>(in tile);
    }

    private static void Run<TVector, TRows, TColumns, TEdge>(in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (tile.TapColumns != 1)
            Run<TVector, TRows, TColumns, TEdge, N0, NotAsking>(in tile);
        else if (tile.Ahead == null)
            Run<TVector, TRows, TColumns, TEdge, N1, NotAsking>(in tile);
        else
            Run<TVector, TRows, TColumns, TEdge, N1, Asking>(in tile);
    }

    /// <summary>TTapColumns is 1 where a single one is known when compiled, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows, TColumns, TEdge, TTapColumns, TAsking>(in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
        where TTapColumns : struct, ISize
        where TAsking : struct, IAsking
    {
        int lanes = TVector.Lanes;
        nint stride = tile.InputStride, stride2 = 2 * stride, stepBytes = tile.ChannelStep * sizeof(float);
        int last = tile.OutputChannels - ((TColumns.Value - 1) * lanes);
        float* lineInput = tile.Input, lineOutput = tile.Output;
        for (int line = tile.Lines; line > 0; line--)
        {
            float* input = lineInput, output = lineOutput;
            for (int remaining = tile.Tiles; remaining > 0; remaining--)
            {
                byte* next = (byte*)tile.Weights;
                nint nextStep = 0;
                if (TAsking.IsOn)
                    nextStep = tile.Ahead->Take(ref next);

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
                    int tapColumn = tile.TapColumns;
                    do
                    {
                        float* a3 = a0 + stride2 + stride;
                        float* a6 = a3 + stride2 + stride;
                        float* a9 = a6 + stride2 + stride;
                        float* a12 = a9 + stride2 + stride;
                        float* w = weightColumn;
                        nint channel = tile.Channels;
                        do
                        {
                            TVector w0 = TVector.Load(w);
                            TVector w1 = TColumns.Value == 2 ? TVector.Load(w + lanes) : w0;
                            w += TColumns.Value * lanes;
                            TVector a = TVector.Broadcast(a0[0]);
                            TVector.Accumulate(ref c0x, a, w0);
                            if (TColumns.Value == 2)
                                TVector.Accumulate(ref c0y, a, w1);

                            if (TRows.Value > 1)
                            {
                                a = TVector.Broadcast(a0[stride]);
                                TVector.Accumulate(ref c1x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c1y, a, w1);
                            }

                            if (TRows.Value > 2)
                            {
                                a = TVector.Broadcast(a0[stride2]);
                                TVector.Accumulate(ref c2x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c2y, a, w1);
                            }

                            if (TRows.Value > 3)
                            {
                                a = TVector.Broadcast(a3[0]);
                                TVector.Accumulate(ref c3x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c3y, a, w1);
                            }

                            if (TRows.Value > 4)
                            {
                                a = TVector.Broadcast(a3[stride]);
                                TVector.Accumulate(ref c4x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c4y, a, w1);
                            }

                            if (TRows.Value > 5)
                            {
                                a = TVector.Broadcast(a3[stride2]);
                                TVector.Accumulate(ref c5x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c5y, a, w1);
                            }

                            if (TRows.Value > 6)
                            {
                                a = TVector.Broadcast(a6[0]);
                                TVector.Accumulate(ref c6x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c6y, a, w1);
                            }

                            if (TRows.Value > 7)
                            {
                                a = TVector.Broadcast(a6[stride]);
                                TVector.Accumulate(ref c7x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c7y, a, w1);
                            }

                            if (TRows.Value > 8)
                            {
                                a = TVector.Broadcast(a6[stride2]);
                                TVector.Accumulate(ref c8x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c8y, a, w1);
                            }

                            if (TRows.Value > 9)
                            {
                                a = TVector.Broadcast(a9[0]);
                                TVector.Accumulate(ref c9x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c9y, a, w1);
                            }

                            if (TRows.Value > 10)
                            {
                                a = TVector.Broadcast(a9[stride]);
                                TVector.Accumulate(ref c10x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c10y, a, w1);
                            }

                            if (TRows.Value > 11)
                            {
                                a = TVector.Broadcast(a9[stride2]);
                                TVector.Accumulate(ref c11x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c11y, a, w1);
                            }

                            if (TRows.Value > 12)
                            {
                                a = TVector.Broadcast(a12[0]);
                                TVector.Accumulate(ref c12x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c12y, a, w1);
                            }

                            if (TRows.Value > 13)
                            {
                                a = TVector.Broadcast(a12[stride]);
                                TVector.Accumulate(ref c13x, a, w0);
                                if (TColumns.Value == 2)
                                    TVector.Accumulate(ref c13y, a, w1);
                            }

                            a0 = (float*)((byte*)a0 + stepBytes);
                            if (TRows.Value > 3)
                                a3 = (float*)((byte*)a3 + stepBytes);
                            if (TRows.Value > 6)
                                a6 = (float*)((byte*)a6 + stepBytes);
                            if (TRows.Value > 9)
                                a9 = (float*)((byte*)a9 + stepBytes);
                            if (TRows.Value > 12)
                                a12 = (float*)((byte*)a12 + stepBytes);

                            if (TAsking.IsOn)
                            {
                                Prefetch.LineToSecondLevel(next);
                                next += nextStep;
                            }
                        }
                        while (--channel != 0);

                        if (TTapColumns.Value == 1)
                            break;

                        // The pointer walked over the channels: back to the pixel, on to the next tap.
                        a0 += tile.InputTapColumn - (tile.Channels * tile.ChannelStep);
                        weightColumn += tile.WeightTapColumn;
                    }
                    while (--tapColumn > 0);

                    inputRow += tile.InputTapRow;
                    weightRow += tile.WeightTapRow;
                }

                if (TAsking.IsOn)
                    tile.Ahead->Put(next, nextStep);

                float* y = output;
                Store<TVector, TColumns, TEdge>(y, c0x, c0y, last, in tile.Rectifier);
                y += tile.OutputStride;

                if (TRows.Value > 1)
                {
                    Store<TVector, TColumns, TEdge>(y, c1x, c1y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 2)
                {
                    Store<TVector, TColumns, TEdge>(y, c2x, c2y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 3)
                {
                    Store<TVector, TColumns, TEdge>(y, c3x, c3y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 4)
                {
                    Store<TVector, TColumns, TEdge>(y, c4x, c4y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 5)
                {
                    Store<TVector, TColumns, TEdge>(y, c5x, c5y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 6)
                {
                    Store<TVector, TColumns, TEdge>(y, c6x, c6y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 7)
                {
                    Store<TVector, TColumns, TEdge>(y, c7x, c7y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 8)
                {
                    Store<TVector, TColumns, TEdge>(y, c8x, c8y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 9)
                {
                    Store<TVector, TColumns, TEdge>(y, c9x, c9y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 10)
                {
                    Store<TVector, TColumns, TEdge>(y, c10x, c10y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 11)
                {
                    Store<TVector, TColumns, TEdge>(y, c11x, c11y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 12)
                {
                    Store<TVector, TColumns, TEdge>(y, c12x, c12y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 13)
                {
                    Store<TVector, TColumns, TEdge>(y, c13x, c13y, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                input += TRows.Value * stride;
                output = y;
            }

            lineInput += tile.InputLine;
            lineOutput += tile.OutputLine;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TColumns, TEdge>(float* y, TVector first, TVector second, int last, in Rectifier rectifier)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (rectifier.IsOn)
        {
            first = rectifier.Apply(first);
            if (TColumns.Value == 2)
                second = rectifier.Apply(second);
        }

        if (TColumns.Value == 2)
        {
            TVector.Store(y, first);
            TEdge.Store(y + TVector.Lanes, second, last);
        }
        else
        {
            TEdge.Store(y, first, last);
        }
    }
}
