using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the depthwise micro-kernel computes: tiles of evenly spaced pixels, over all channels.</summary>
internal unsafe struct DepthwiseTile
{
    /// <summary>The input cell of the first pixel's first tap; and floats to the next pixel's.</summary>
    public float* Input;
    public nint InputStride;

    /// <summary>The first output value of the first pixel; and floats to the next pixel's.</summary>
    public float* Output;
    public nint OutputStride;

    /// <summary>The first tap's weights, and the biases or null.</summary>
    public float* Weights;
    public float* Bias;

    /// <summary>Tap rows and columns inside the image, and floats from one to the next, in the input and in the weights.</summary>
    public int TapRows, TapColumns;
    public nint InputTapRow, InputTapColumn, WeightTapRow, WeightTapColumn;

    /// <summary>Channels, and after how many the weights and biases start again.</summary>
    public int Channels, Period;

    /// <summary>How many tiles follow each other.</summary>
    public int Tiles;
}

/// <summary>
/// The depthwise micro-kernel: output [pixels, channels] = bias + sum over taps of input [pixel + tap, channel] * weights [tap, channel]. A lane is a channel; every
/// value starts at its bias and adds kernel columns from the left, rows from the top within each. Registers: up to 14 accumulators and one
/// weight vector; inputs are operands in memory, each line of which comes from the first-level cache for all but its first tap.
/// Weights are readable for a whole vector past any phase of their period; channels end in a masked vector.
/// </summary>
internal static unsafe class DepthwiseMicroKernel
{
    public const int MaximumRows = 14;

    public static void Run<TVector>(int rows, in DepthwiseTile tile)
        where TVector : struct, IVector<TVector>
    {
        switch (rows)
        {
            case 1:
                Run<TVector, N1>(in tile);
                break;
            case 2:
                Run<TVector, N2>(in tile);
                break;
            case 3:
                Run<TVector, N3>(in tile);
                break;
            case 4:
                Run<TVector, N4>(in tile);
                break;
            case 5:
                Run<TVector, N5>(in tile);
                break;
            case 6:
                Run<TVector, N6>(in tile);
                break;
            case 7:
                Run<TVector, N7>(in tile);
                break;
            case 8:
                Run<TVector, N8>(in tile);
                break;
            case 9:
                Run<TVector, N9>(in tile);
                break;
            case 10:
                Run<TVector, N10>(in tile);
                break;
            case 11:
                Run<TVector, N11>(in tile);
                break;
            case 12:
                Run<TVector, N12>(in tile);
                break;
            case 13:
                Run<TVector, N13>(in tile);
                break;
            default:
                Run<TVector, N14>(in tile);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows>(in DepthwiseTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
    {
        float* input = tile.Input;
        float* output = tile.Output;
        for (int remaining = tile.Tiles; remaining > 0; remaining--)
        {
            int channel = 0, phase = 0;
            for (; channel + TVector.Lanes <= tile.Channels; channel += TVector.Lanes)
            {
                Vector<TVector, TRows, Whole>(in tile, input + channel, output + channel, phase, TVector.Lanes);
                phase = (phase + TVector.Lanes) % tile.Period;
            }

            if (channel < tile.Channels)
                Vector<TVector, TRows, Partial>(in tile, input + channel, output + channel, phase, tile.Channels - channel);

            input += TRows.Value * tile.InputStride;
            output += TRows.Value * tile.OutputStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Vector<TVector, TRows, TEdge>(in DepthwiseTile tile, float* input, float* output, int phase, int count)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TEdge : struct, IEdge
    {
        nint s = tile.InputStride, s2 = 2 * s, s3 = s2 + s;
        TVector bias = tile.Bias == null ? TVector.Zero : TVector.Load(tile.Bias + phase);
        TVector c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias;
        TVector c7 = bias, c8 = bias, c9 = bias, c10 = bias, c11 = bias, c12 = bias, c13 = bias;
        float* inputColumn = input;
        float* weightColumn = tile.Weights + phase;
        for (int tapColumn = tile.TapColumns; tapColumn > 0; tapColumn--)
        {
            float* a = inputColumn;
            float* w = weightColumn;
            for (int tapRow = tile.TapRows; tapRow > 0; tapRow--)
            {
                TVector weight = TVector.Load(w);
                float* x = a;
                c0 = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count), weight, c0);

                if (TRows.Value > 1)
                    c1 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s, count), weight, c1);

                if (TRows.Value > 2)
                    c2 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s2, count), weight, c2);

                if (TRows.Value > 3)
                {
                    x += s3;
                    c3 = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count), weight, c3);
                }

                if (TRows.Value > 4)
                    c4 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s, count), weight, c4);

                if (TRows.Value > 5)
                    c5 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s2, count), weight, c5);

                if (TRows.Value > 6)
                {
                    x += s3;
                    c6 = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count), weight, c6);
                }

                if (TRows.Value > 7)
                    c7 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s, count), weight, c7);

                if (TRows.Value > 8)
                    c8 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s2, count), weight, c8);

                if (TRows.Value > 9)
                {
                    x += s3;
                    c9 = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count), weight, c9);
                }

                if (TRows.Value > 10)
                    c10 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s, count), weight, c10);

                if (TRows.Value > 11)
                    c11 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s2, count), weight, c11);

                if (TRows.Value > 12)
                {
                    x += s3;
                    c12 = TVector.MultiplyAdd(TEdge.Load<TVector>(x, count), weight, c12);
                }

                if (TRows.Value > 13)
                    c13 = TVector.MultiplyAdd(TEdge.Load<TVector>(x + s, count), weight, c13);

                a += tile.InputTapRow;
                w += tile.WeightTapRow;
            }

            inputColumn += tile.InputTapColumn;
            weightColumn += tile.WeightTapColumn;
        }

        nint step = tile.OutputStride;
        float* y = output;
        TEdge.Store(y, c0, count);

        if (TRows.Value > 1)
            TEdge.Store(y += step, c1, count);

        if (TRows.Value > 2)
            TEdge.Store(y += step, c2, count);

        if (TRows.Value > 3)
            TEdge.Store(y += step, c3, count);

        if (TRows.Value > 4)
            TEdge.Store(y += step, c4, count);

        if (TRows.Value > 5)
            TEdge.Store(y += step, c5, count);

        if (TRows.Value > 6)
            TEdge.Store(y += step, c6, count);

        if (TRows.Value > 7)
            TEdge.Store(y += step, c7, count);

        if (TRows.Value > 8)
            TEdge.Store(y += step, c8, count);

        if (TRows.Value > 9)
            TEdge.Store(y += step, c9, count);

        if (TRows.Value > 10)
            TEdge.Store(y += step, c10, count);

        if (TRows.Value > 11)
            TEdge.Store(y += step, c11, count);

        if (TRows.Value > 12)
            TEdge.Store(y += step, c12, count);

        if (TRows.Value > 13)
            TEdge.Store(y += step, c13, count);
    }
}
