using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="WeightGradientMicroKernel"/> for three and four vectors of channels, where there are 32 registers: tiles of up to 6 rows, for the reason that <see cref="WideConvolutionMicroKernel"/> has; of three
/// vectors too, so that two tiles are a packed panel whatever the vectors.
/// </summary>
internal static unsafe class WideWeightGradientMicroKernel
{
    /// <summary>The most rows of a tile.</summary>
    public const int MaximumRows = 6;

    public static void Run<TVector>(int rows, int columns, in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (columns == 4)
            Run<TVector, N4>(rows, in tile);
        else
            Run<TVector, N3>(rows, in tile);
    }

    private static void Run<TVector, TColumns>(int rows, in WeightGradientTile tile)
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
                throw SizeDispatch.Outside(rows);
        }
    }

    private static void Run<TVector, TRows, TColumns>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        if (tile.Channels == TColumns.Value * TVector.Lanes)
            Run<TVector, TRows, TColumns, Whole>(in tile);
        else
            Run<TVector, TRows, TColumns, Partial>(in tile);
    }

    private static void Run<TVector, TRows, TColumns, TEdge>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (tile.Ahead == null)
            Run<TVector, TRows, TColumns, TEdge, NotAsking>(in tile);
        else
            Run<TVector, TRows, TColumns, TEdge, Asking>(in tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows, TColumns, TEdge, TAsking>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
        where TAsking : struct, IAsking
    {
        int lanes = TVector.Lanes, lanes2 = 2 * lanes, lanes3 = 3 * lanes;
        int last = tile.Channels - ((TColumns.Value - 1) * lanes);
        nint row = tile.LeftRow, row2 = 2 * row;
        nint leftBytes = tile.LeftPixel * sizeof(float), rightPixel = tile.RightPixel;
        // Zeros are loaded like a gradient: a branch here would keep the compiler from taking masks out of the loop over pixels.
        bool begins = tile.Zeros != null;
        nint startRow = begins ? 0 : tile.GradientRow;
        float* left = tile.Left;
        float* tileGradient = tile.Gradient;
        for (int remaining = tile.Tiles; remaining > 0; remaining--)
        {
            byte* next = (byte*)tile.Right;
            nint nextStep = 0;
            if (TAsking.IsOn)
                nextStep = tile.Ahead->Take(ref next);

            TVector zero = TVector.Zero;
            TVector c0x = zero, c1x = zero, c2x = zero, c3x = zero, c4x = zero, c5x = zero;
            TVector c0y = zero, c1y = zero, c2y = zero, c3y = zero, c4y = zero, c5y = zero;
            TVector c0z = zero, c1z = zero, c2z = zero, c3z = zero, c4z = zero, c5z = zero;
            TVector c0w = zero, c1w = zero, c2w = zero, c3w = zero, c4w = zero, c5w = zero;
            float* start = begins ? tile.Zeros : tileGradient;
            c0x = TVector.Load(start);
            c0y = TVector.Load(start + lanes);
            c0z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
            if (TColumns.Value > 3)
                c0w = TEdge.Load<TVector>(start + lanes3, last);

            start += startRow;

            if (TRows.Value > 1)
            {
                c1x = TVector.Load(start);
                c1y = TVector.Load(start + lanes);
                c1z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
                if (TColumns.Value > 3)
                    c1w = TEdge.Load<TVector>(start + lanes3, last);

                start += startRow;
            }

            if (TRows.Value > 2)
            {
                c2x = TVector.Load(start);
                c2y = TVector.Load(start + lanes);
                c2z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
                if (TColumns.Value > 3)
                    c2w = TEdge.Load<TVector>(start + lanes3, last);

                start += startRow;
            }

            if (TRows.Value > 3)
            {
                c3x = TVector.Load(start);
                c3y = TVector.Load(start + lanes);
                c3z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
                if (TColumns.Value > 3)
                    c3w = TEdge.Load<TVector>(start + lanes3, last);

                start += startRow;
            }

            if (TRows.Value > 4)
            {
                c4x = TVector.Load(start);
                c4y = TVector.Load(start + lanes);
                c4z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
                if (TColumns.Value > 3)
                    c4w = TEdge.Load<TVector>(start + lanes3, last);

                start += startRow;
            }

            if (TRows.Value > 5)
            {
                c5x = TVector.Load(start);
                c5y = TVector.Load(start + lanes);
                c5z = TColumns.Value > 3 ? TVector.Load(start + lanes2) : TEdge.Load<TVector>(start + lanes2, last);
                if (TColumns.Value > 3)
                    c5w = TEdge.Load<TVector>(start + lanes3, last);
            }

            if (begins)
            {
                // A large gradient is in no cache yet, and the next tile's rows lie far apart, where no hardware looks for them.
                float* ahead = tileGradient + tile.GradientTile;
                for (int i = 0; i < TRows.Value; i++)
                {
                    for (int line = 0; line < TColumns.Value * lanes; line += Prefetch.LineFloats)
                        Prefetch.Line(ahead + line);

                    ahead += tile.GradientRow;
                }
            }

            float* leftLine = left;
            float* rightLine = tile.Right;
            for (int line = tile.Lines; line > 0; line--)
            {
                float* a0 = leftLine;
                float* a3 = a0 + row2 + row;
                float* right = rightLine;
                nint pixel = tile.Pixels;
                do
                {
                    TVector w0 = TVector.Load(right), w1 = TVector.Load(right + lanes);
                    TVector w2 = TColumns.Value > 3 ? TVector.Load(right + lanes2) : TEdge.Load<TVector>(right + lanes2, last);
                    TVector w3 = TColumns.Value > 3 ? TEdge.Load<TVector>(right + lanes3, last) : w2;
                    right += rightPixel;
                    TVector a = TVector.Broadcast(a0[0]);
                    TVector.Accumulate(ref c0x, a, w0);
                    TVector.Accumulate(ref c0y, a, w1);
                    TVector.Accumulate(ref c0z, a, w2);
                    if (TColumns.Value > 3)
                        TVector.Accumulate(ref c0w, a, w3);

                    if (TRows.Value > 1)
                    {
                        a = TVector.Broadcast(a0[row]);
                        TVector.Accumulate(ref c1x, a, w0);
                        TVector.Accumulate(ref c1y, a, w1);
                        TVector.Accumulate(ref c1z, a, w2);
                        if (TColumns.Value > 3)
                            TVector.Accumulate(ref c1w, a, w3);
                    }

                    if (TRows.Value > 2)
                    {
                        a = TVector.Broadcast(a0[row2]);
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
                        a = TVector.Broadcast(a3[row]);
                        TVector.Accumulate(ref c4x, a, w0);
                        TVector.Accumulate(ref c4y, a, w1);
                        TVector.Accumulate(ref c4z, a, w2);
                        if (TColumns.Value > 3)
                            TVector.Accumulate(ref c4w, a, w3);
                    }

                    if (TRows.Value > 5)
                    {
                        a = TVector.Broadcast(a3[row2]);
                        TVector.Accumulate(ref c5x, a, w0);
                        TVector.Accumulate(ref c5y, a, w1);
                        TVector.Accumulate(ref c5z, a, w2);
                        if (TColumns.Value > 3)
                            TVector.Accumulate(ref c5w, a, w3);
                    }

                    a0 = (float*)((byte*)a0 + leftBytes);
                    if (TRows.Value > 3)
                        a3 = (float*)((byte*)a3 + leftBytes);

                    if (TAsking.IsOn)
                    {
                        Prefetch.LineToSecondLevel(next);
                        next += nextStep;
                    }
                }
                while (--pixel != 0);

                leftLine += tile.LeftLine;
                rightLine += tile.RightLine;
            }

            if (TAsking.IsOn)
                tile.Ahead->Put(next, nextStep);

            float* gradient = tileGradient;
            Store<TVector, TColumns, TEdge>(gradient, c0x, c0y, c0z, c0w, last);
            gradient += tile.GradientRow;

            if (TRows.Value > 1)
            {
                Store<TVector, TColumns, TEdge>(gradient, c1x, c1y, c1z, c1w, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 2)
            {
                Store<TVector, TColumns, TEdge>(gradient, c2x, c2y, c2z, c2w, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 3)
            {
                Store<TVector, TColumns, TEdge>(gradient, c3x, c3y, c3z, c3w, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 4)
            {
                Store<TVector, TColumns, TEdge>(gradient, c4x, c4y, c4z, c4w, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 5)
            {
                Store<TVector, TColumns, TEdge>(gradient, c5x, c5y, c5z, c5w, last);
            }

            left += tile.LeftTile;
            tileGradient += tile.GradientTile;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TColumns, TEdge>(float* destination, TVector first, TVector second, TVector third, TVector fourth, int last)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector.Store(destination, first);
        TVector.Store(destination + TVector.Lanes, second);
        if (TColumns.Value > 3)
        {
            TVector.Store(destination + (2 * TVector.Lanes), third);
            TEdge.Store(destination + (3 * TVector.Lanes), fourth, last);
        }
        else
        {
            TEdge.Store(destination + (2 * TVector.Lanes), third, last);
        }
    }
}
