using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of <see cref="DotKernel"/> computes: dot products of evenly spaced rows with one row.</summary>
internal unsafe struct DotTile
{
    public float* Left, Right, Result;
    public nint LeftRow, ResultRow;
    public int Rows;

    /// <summary>The sum runs over taps as well: rows and columns of them, and floats from one to the next on both sides.</summary>
    public int TapRows, TapColumns;
    public nint LeftTapRow, LeftTapColumn, RightTapRow, RightTapColumn;

    /// <summary>Floats of a tap.</summary>
    public int Length;

    /// <summary>Added to each result.</summary>
    public float Bias;
}

/// <summary>
/// Results [rows] = bias + sum over taps and k of left [row, tap, k] * right [tap, k], for layers with too few outputs to fill a vector. Lanes run over k:
/// 16 virtual lanes at every width, each adding its k's in order, then a fixed tree (8, 4, 2, 1) and the bias, so that the bits do not depend on the width.
/// Narrower vectors take the lanes in several sweeps. Registers: 8 accumulators, one vector of each side. The last vector of a tap is masked.
/// </summary>
internal static unsafe class DotKernel
{
    public const int VirtualLanes = TreeSum.Values;

    /// <summary>Up to so many outputs a dot product beats a vector that is mostly padding.</summary>
    public const int MostOutputs = 4;

    private const int TileRows = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TVector>(DotTile tile)
        where TVector : struct, IVector<TVector>
    {
        float* sums = stackalloc float[TileRows * VirtualLanes];
        while (tile.Rows > 0)
        {
            int rows = Math.Min(TileRows, tile.Rows);
            for (int lane = 0; lane < VirtualLanes; lane += TVector.Lanes)
            {
                if (rows == TileRows)
                    Sum<TVector, N8>(in tile, lane, sums + lane);
                else if (rows >= 5)
                    SumInParts<TVector, N5>(in tile, rows, lane, sums);
                else if (rows >= 2)
                    SumInParts<TVector, N2>(in tile, rows, lane, sums);
                else
                    Sum<TVector, N1>(in tile, lane, sums + lane);
            }

            for (int row = 0; row < rows; row++)
            {
                *tile.Result = TreeSum.Of(sums + (row * VirtualLanes)) + tile.Bias;
                tile.Result += tile.ResultRow;
            }

            tile.Left += rows * tile.LeftRow;
            tile.Rows -= rows;
        }
    }

    private static void SumInParts<TVector, TRows>(in DotTile tile, int rows, int lane, float* sums)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
    {
        DotTile part = tile;
        while (rows >= TRows.Value)
        {
            Sum<TVector, TRows>(in part, lane, sums + lane);
            sums += TRows.Value * VirtualLanes;
            part.Left += TRows.Value * tile.LeftRow;
            rows -= TRows.Value;
        }

        for (; rows > 0; rows--)
        {
            Sum<TVector, N1>(in part, lane, sums + lane);
            sums += VirtualLanes;
            part.Left += tile.LeftRow;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TVector, TRows>(in DotTile tile, int lane, float* sums)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
    {
        TVector zero = TVector.Zero;
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero;
        nint row = tile.LeftRow;
        int length = tile.Length;
        for (int tapRow = 0; tapRow < tile.TapRows; tapRow++)
        {
            for (int tapColumn = 0; tapColumn < tile.TapColumns; tapColumn++)
            {
                float* a = tile.Left + (tapRow * tile.LeftTapRow) + (tapColumn * tile.LeftTapColumn);
                float* b = tile.Right + (tapRow * tile.RightTapRow) + (tapColumn * tile.RightTapColumn);
                int k = lane;
                for (; k + TVector.Lanes <= length; k += VirtualLanes)
                {
                    TVector right = TVector.Load(b + k);
                    float* left = a + k;
                    TVector.Accumulate(ref c0, TVector.Load(left), right);
                    if (TRows.Value > 1)
                        TVector.Accumulate(ref c1, TVector.Load(left + row), right);

                    if (TRows.Value > 2)
                    {
                        TVector.Accumulate(ref c2, TVector.Load(left + (2 * row)), right);
                        left += 3 * row;
                        TVector.Accumulate(ref c3, TVector.Load(left), right);
                        TVector.Accumulate(ref c4, TVector.Load(left + row), right);
                    }

                    if (TRows.Value > 5)
                    {
                        TVector.Accumulate(ref c5, TVector.Load(left + (2 * row)), right);
                        left += 3 * row;
                        TVector.Accumulate(ref c6, TVector.Load(left), right);
                        TVector.Accumulate(ref c7, TVector.Load(left + row), right);
                    }
                }

                int rest = length - k;
                if (rest <= 0)
                    continue;

                TVector last = TVector.LoadPartial(b + k, rest);
                float* tail = a + k;
                TVector.Accumulate(ref c0, TVector.LoadPartial(tail, rest), last);
                if (TRows.Value > 1)
                    TVector.Accumulate(ref c1, TVector.LoadPartial(tail + row, rest), last);

                if (TRows.Value > 2)
                {
                    TVector.Accumulate(ref c2, TVector.LoadPartial(tail + (2 * row), rest), last);
                    TVector.Accumulate(ref c3, TVector.LoadPartial(tail + (3 * row), rest), last);
                    TVector.Accumulate(ref c4, TVector.LoadPartial(tail + (4 * row), rest), last);
                }

                if (TRows.Value > 5)
                {
                    TVector.Accumulate(ref c5, TVector.LoadPartial(tail + (5 * row), rest), last);
                    TVector.Accumulate(ref c6, TVector.LoadPartial(tail + (6 * row), rest), last);
                    TVector.Accumulate(ref c7, TVector.LoadPartial(tail + (7 * row), rest), last);
                }
            }
        }

        TVector.Store(sums, c0);
        if (TRows.Value > 1)
            TVector.Store(sums + VirtualLanes, c1);

        if (TRows.Value > 2)
        {
            TVector.Store(sums + (2 * VirtualLanes), c2);
            TVector.Store(sums + (3 * VirtualLanes), c3);
            TVector.Store(sums + (4 * VirtualLanes), c4);
        }

        if (TRows.Value > 5)
        {
            TVector.Store(sums + (5 * VirtualLanes), c5);
            TVector.Store(sums + (6 * VirtualLanes), c6);
            TVector.Store(sums + (7 * VirtualLanes), c7);
        }
    }
}
