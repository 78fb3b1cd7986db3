using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// sums[0..n) += the sum over entries of value * rows[row, 0..n): a row with few values times a matrix. A lane is a column; entries are added in order, in one fused chain,
/// so that leaving out zeros changes no bit of a finite result. The sums of a call are in registers: 1, 2, 4 or 8 vectors.
/// </summary>
internal static unsafe class SparseRowKernel
{
    /// <summary>Rows of sums that each have a list of entries beside the next one's; a grid of them.</summary>
    public struct Grid
    {
        /// <summary>The first sums; and floats to the next line's and column's.</summary>
        public float* Sums;
        public nint Line, Column;

        /// <summary>Lines and columns.</summary>
        public int Lines, Columns;

        /// <summary>Where the first one's entries begin among all, the next one's follow, and how far the next line's are.</summary>
        public int* Starts;
        public int StartsLine;

        public SparseEntry* Entries;

        /// <summary>What is multiplied; and floats from one row to the next.</summary>
        public float* Rows;
        public nint Pitch;
    }

    /// <summary>Rows of sums that each have a list of their own, of which only rows in a range are taken.</summary>
    public struct Lists
    {
        /// <summary>The first sums; and floats to the next one's.</summary>
        public float* Sums;
        public nint Step;

        /// <summary>How many there are, how many entries each has, ordered by their rows, and entries from one list to the next.</summary>
        public int Count;
        public int* Counts;
        public SparseEntry* Entries;
        public nint EntriesStep;

        /// <summary>Entries of rows from the first up to the end are taken.</summary>
        public int FirstRow, EndRow;

        /// <summary>What is multiplied; and floats from one row to the next.</summary>
        public float* Rows;
        public nint Pitch;
    }

    /// <summary>So many vectors of sums, 1, 2, 4 or 8, of a grid.</summary>
    public static void Run<TVector>(int vectors, in Grid grid)
        where TVector : struct, IVector<TVector>
    {
        switch (vectors)
        {
            case 1:
                Run<TVector, N1>(grid);
                break;
            case 2:
                Run<TVector, N2>(grid);
                break;
            case 4:
                Run<TVector, N4>(grid);
                break;
            case 8:
                Run<TVector, N8>(grid);
                break;
            default:
                throw SizeDispatch.Outside(vectors);
        }
    }

    /// <summary>So many vectors of sums, 1, 2, 4 or 8, of lists.</summary>
    public static void Run<TVector>(int vectors, in Lists lists)
        where TVector : struct, IVector<TVector>
    {
        switch (vectors)
        {
            case 1:
                Run<TVector, N1>(lists);
                break;
            case 2:
                Run<TVector, N2>(lists);
                break;
            case 4:
                Run<TVector, N4>(lists);
                break;
            case 8:
                Run<TVector, N8>(lists);
                break;
            default:
                throw SizeDispatch.Outside(vectors);
        }
    }

    /// <summary>The vectors of the next call where so many are left.</summary>
    public static int Vectors(int left) => left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TVectors>(in Grid grid)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        float* line = grid.Sums, rows = grid.Rows;
        int* lineStarts = grid.Starts;
        SparseEntry* entries = grid.Entries;
        nint step = grid.Column, pitch = grid.Pitch;
        for (int lines = grid.Lines; lines > 0; lines--)
        {
            float* sums = line;
            int* starts = lineStarts;
            SparseEntry* entry = entries + *starts;
            for (int columns = grid.Columns; columns > 0; columns--)
            {
                SparseEntry* end = entries + *++starts;
                if (entry != end)
                    Add<TVector, TVectors>(sums, rows, pitch, entry, end);

                entry = end;
                sums += step;
            }

            line += grid.Line;
            lineStarts += grid.StartsLine;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TVectors>(in Lists lists)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        float* sums = lists.Sums, rows = lists.Rows;
        nint pitch = lists.Pitch;
        SparseEntry* list = lists.Entries;
        for (int i = 0; i < lists.Count; i++)
        {
            SparseEntry* entry = list, end = list + lists.Counts[i];
            while (entry != end && entry->Row < lists.FirstRow)
                entry++;

            while (entry != end && end[-1].Row >= lists.EndRow)
                end--;

            if (entry != end)
                Add<TVector, TVectors>(sums, rows, pitch, entry, end);

            sums += lists.Step;
            list += lists.EntriesStep;
        }
    }

    /// <summary>There is at least one entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TVectors>(float* sums, float* rows, nint pitch, SparseEntry* entry, SparseEntry* end)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        int lanes = TVector.Lanes;
        TVector c0 = TVector.Load(sums), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
        if (TVectors.Value > 1)
            c1 = TVector.Load(sums + lanes);

        if (TVectors.Value > 2)
        {
            c2 = TVector.Load(sums + (2 * lanes));
            c3 = TVector.Load(sums + (3 * lanes));
        }

        if (TVectors.Value > 4)
        {
            c4 = TVector.Load(sums + (4 * lanes));
            c5 = TVector.Load(sums + (5 * lanes));
            c6 = TVector.Load(sums + (6 * lanes));
            c7 = TVector.Load(sums + (7 * lanes));
        }

        do
        {
            TVector value = TVector.Broadcast(entry->Value);
            float* row = rows + (entry->Row * pitch);
            entry++;
            TVector.Accumulate(ref c0, value, row);
            if (TVectors.Value > 1)
                TVector.Accumulate(ref c1, value, row + lanes);

            if (TVectors.Value > 2)
            {
                TVector.Accumulate(ref c2, value, row + (2 * lanes));
                TVector.Accumulate(ref c3, value, row + (3 * lanes));
            }

            if (TVectors.Value > 4)
            {
                TVector.Accumulate(ref c4, value, row + (4 * lanes));
                TVector.Accumulate(ref c5, value, row + (5 * lanes));
                TVector.Accumulate(ref c6, value, row + (6 * lanes));
                TVector.Accumulate(ref c7, value, row + (7 * lanes));
            }
        }
        while (entry != end);

        TVector.Store(sums, c0);
        if (TVectors.Value > 1)
            TVector.Store(sums + lanes, c1);

        if (TVectors.Value > 2)
        {
            TVector.Store(sums + (2 * lanes), c2);
            TVector.Store(sums + (3 * lanes), c3);
        }

        if (TVectors.Value > 4)
        {
            TVector.Store(sums + (4 * lanes), c4);
            TVector.Store(sums + (5 * lanes), c5);
            TVector.Store(sums + (6 * lanes), c6);
            TVector.Store(sums + (7 * lanes), c7);
        }
    }
}
