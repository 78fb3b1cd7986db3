using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// sums[0..n) += the sum over a list's entries of value * row[0..n): a row with few values times a matrix. A lane is a column; entries are added in order, in one fused chain,
/// so that leaving out zeros changes no bit of a finite result. While a list is walked its sums are in registers: 1, 2, 4 or 8 vectors.
/// </summary>
internal static unsafe class SparseRowKernel
{
    /// <summary>Adds to so many vectors, 1, 2, 4 or 8, of each of some rows of sums, from a column on.</summary>
    public static void Run<TVector>(int vectors, ReadOnlySpan<SparseSum> sums, nint column)
        where TVector : struct, IVector<TVector>
    {
        switch (vectors)
        {
            case 1:
                Run<TVector, N1>(sums, column);
                break;
            case 2:
                Run<TVector, N2>(sums, column);
                break;
            case 4:
                Run<TVector, N4>(sums, column);
                break;
            case 8:
                Run<TVector, N8>(sums, column);
                break;
            default:
                throw SizeDispatch.Outside(vectors);
        }
    }

    /// <summary>The vectors of the next call where so many are left.</summary>
    public static int Vectors(int left) => left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TVectors>(ReadOnlySpan<SparseSum> all, nint column)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        foreach (ref readonly SparseSum sum in all)
        {
            if (sum.First != sum.End)
                Add<TVector, TVectors>(sum.Sums + column, (byte*)(sum.Rows + column), sum.First, sum.End);
        }
    }

    /// <summary>There is at least one entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TVectors>(float* sums, byte* rows, SparseEntry* entry, SparseEntry* end)
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

        float* row = (float*)(rows + entry->Offset), next = (float*)(rows + entry[1].Offset);
        do
        {
            float* afterNext = (float*)(rows + entry[2].Offset);
            TVector value = TVector.Broadcast(entry->Value);
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

            row = next;
            next = afterNext;
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
