using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="ConvolutionMicroKernel"/> for blocks of three and four vectors, where there are 32 registers: 8 x 3 + 3 + 1 = 28, or 6 x 4 + 4 + 1 = 29. A tile loads 11 or 10 values for 24 multiply-adds, one of 14 x 2 loads 16 for 28:
/// where another thread shares the core, what a kernel issues beside its multiply-adds costs as much as they do.
/// </summary>
internal static unsafe class WideConvolutionMicroKernel
{
    /// <summary>The most pixels a tile of three vectors holds, and of four.</summary>
    public const int RowsOfThree = 8, RowsOfFour = 6;

    public static void Run<TVector>(int rows, int columns, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (columns == 4)
            Run<TVector, N4>(rows, in tile);
        else
            Run<TVector, N3>(rows, in tile);
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

    /// <summary>Tiles that only three vectors have.</summary>
    private static void RunMore<TVector, TColumns>(int rows, in ConvolutionTile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        if (TColumns.Value > 3)
            throw SizeDispatch.Outside(rows);

        if (rows == 7)
            Run<TVector, N7, TColumns>(in tile);
        else
            Run<TVector, N8, TColumns>(in tile);
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
        int lanes = TVector.Lanes, lanes2 = 2 * lanes, lanes3 = 3 * lanes;
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

                TVector bias0 = TVector.Load(tile.Weights), bias1 = TVector.Load(tile.Weights + lanes), bias2 = TVector.Load(tile.Weights + lanes2);
                TVector bias3 = TColumns.Value > 3 ? TVector.Load(tile.Weights + lanes3) : bias2;
                TVector c0x = bias0, c1x = bias0, c2x = bias0, c3x = bias0, c4x = bias0, c5x = bias0, c6x = bias0, c7x = bias0;
                TVector c0y = bias1, c1y = bias1, c2y = bias1, c3y = bias1, c4y = bias1, c5y = bias1, c6y = bias1, c7y = bias1;
                TVector c0z = bias2, c1z = bias2, c2z = bias2, c3z = bias2, c4z = bias2, c5z = bias2, c6z = bias2, c7z = bias2;
                TVector c0w = bias3, c1w = bias3, c2w = bias3, c3w = bias3, c4w = bias3, c5w = bias3;
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
                        float* w = weightColumn;
                        nint channel = tile.Channels;
                        do
                        {
                            TVector w0 = TVector.Load(w), w1 = TVector.Load(w + lanes), w2 = TVector.Load(w + lanes2);
                            TVector w3 = TColumns.Value > 3 ? TVector.Load(w + lanes3) : w2;
                            w += TColumns.Value * lanes;
                            TVector a = TVector.Broadcast(a0[0]);
                            TVector.Accumulate(ref c0x, a, w0);
                            TVector.Accumulate(ref c0y, a, w1);
                            TVector.Accumulate(ref c0z, a, w2);
                            if (TColumns.Value > 3)
                                TVector.Accumulate(ref c0w, a, w3);

                            if (TRows.Value > 1)
                            {
                                a = TVector.Broadcast(a0[stride]);
                                TVector.Accumulate(ref c1x, a, w0);
                                TVector.Accumulate(ref c1y, a, w1);
                                TVector.Accumulate(ref c1z, a, w2);
                                if (TColumns.Value > 3)
                                    TVector.Accumulate(ref c1w, a, w3);
                            }

                            if (TRows.Value > 2)
                            {
                                a = TVector.Broadcast(a0[stride2]);
                                TVector.Accumulate(ref c2x, a, w0);
                                TVector.Accumulate(ref c2y, a, w1);
                                TVector.Accumulate(ref c2z, a, w2);
                                if (TColumns.Value > 3)
                                    TVector.Accumulate(ref c2w, a, w3);
                            }

                            if (TRows.Value > 3)
                            {
                                a = TVector.Broadcast(a3[0]);
                                TVector.Accumulate(ref c3x, a, w0);
                                TVector.Accumulate(ref c3y, a, w1);
                                TVector.Accumulate(ref c3z, a, w2);
                                if (TColumns.Value > 3)
                                    TVector.Accumulate(ref c3w, a, w3);
                            }

                            if (TRows.Value > 4)
                            {
                                a = TVector.Broadcast(a3[stride]);
                                TVector.Accumulate(ref c4x, a, w0);
                                TVector.Accumulate(ref c4y, a, w1);
                                TVector.Accumulate(ref c4z, a, w2);
                                if (TColumns.Value > 3)
                                    TVector.Accumulate(ref c4w, a, w3);
                            }

                            if (TRows.Value > 5)
                            {
                                a = TVector.Broadcast(a3[stride2]);
                                TVector.Accumulate(ref c5x, a, w0);
                                TVector.Accumulate(ref c5y, a, w1);
                                TVector.Accumulate(ref c5z, a, w2);
                                if (TColumns.Value > 3)
                                    TVector.Accumulate(ref c5w, a, w3);
                            }

                            if (TRows.Value > 6)
                            {
                                a = TVector.Broadcast(a6[0]);
                                TVector.Accumulate(ref c6x, a, w0);
                                TVector.Accumulate(ref c6y, a, w1);
                                TVector.Accumulate(ref c6z, a, w2);
                            }

                            if (TRows.Value > 7)
                            {
                                a = TVector.Broadcast(a6[stride]);
                                TVector.Accumulate(ref c7x, a, w0);
                                TVector.Accumulate(ref c7y, a, w1);
                                TVector.Accumulate(ref c7z, a, w2);
                            }

                            a0 = (float*)((byte*)a0 + stepBytes);
                            if (TRows.Value > 3)
                                a3 = (float*)((byte*)a3 + stepBytes);
                            if (TRows.Value > 6)
                                a6 = (float*)((byte*)a6 + stepBytes);

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
                Store<TVector, TColumns, TEdge>(y, c0x, c0y, c0z, c0w, last, in tile.Rectifier);
                y += tile.OutputStride;

                if (TRows.Value > 1)
                {
                    Store<TVector, TColumns, TEdge>(y, c1x, c1y, c1z, c1w, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 2)
                {
                    Store<TVector, TColumns, TEdge>(y, c2x, c2y, c2z, c2w, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 3)
                {
                    Store<TVector, TColumns, TEdge>(y, c3x, c3y, c3z, c3w, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 4)
                {
                    Store<TVector, TColumns, TEdge>(y, c4x, c4y, c4z, c4w, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 5)
                {
                    Store<TVector, TColumns, TEdge>(y, c5x, c5y, c5z, c5w, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 6)
                {
                    Store<TVector, TColumns, TEdge>(y, c6x, c6y, c6z, c6z, last, in tile.Rectifier);
                    y += tile.OutputStride;
                }

                if (TRows.Value > 7)
                {
                    Store<TVector, TColumns, TEdge>(y, c7x, c7y, c7z, c7z, last, in tile.Rectifier);
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
    private static void Store<TVector, TColumns, TEdge>(float* y, TVector first, TVector second, TVector third, TVector fourth, int last, in Rectifier rectifier)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (rectifier.IsOn)
        {
            first = rectifier.Apply(first);
            second = rectifier.Apply(second);
            third = rectifier.Apply(third);
            if (TColumns.Value > 3)
                fourth = rectifier.Apply(fourth);
        }

        TVector.Store(y, first);
        TVector.Store(y + TVector.Lanes, second);
        if (TColumns.Value > 3)
        {
            TVector.Store(y + (2 * TVector.Lanes), third);
            TEdge.Store(y + (3 * TVector.Lanes), fourth, last);
        }
        else
        {
            TEdge.Store(y + (2 * TVector.Lanes), third, last);
        }
    }
}
