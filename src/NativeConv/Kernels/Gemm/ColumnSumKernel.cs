using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Sums [columns] += sum over rows of x [rows, columns]: the gradient of a bias. A lane is a column; rows are added in order.</summary>
internal static unsafe class ColumnSumKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TVector>(float* x, float* sums, long rows, int columns)
        where TVector : struct, IVector<TVector>
    {
        int lanes = TVector.Lanes;
        int column = 0;
        for (; column + (4 * lanes) <= columns; column += 4 * lanes)
        {
            TVector s0 = TVector.Load(sums + column), s1 = TVector.Load(sums + column + lanes);
            TVector s2 = TVector.Load(sums + column + (2 * lanes)), s3 = TVector.Load(sums + column + (3 * lanes));
            float* from = x + column;
            for (long row = 0; row < rows; row++)
            {
                s0 += TVector.Load(from);
                s1 += TVector.Load(from + lanes);
                s2 += TVector.Load(from + (2 * lanes));
                s3 += TVector.Load(from + (3 * lanes));
                from += columns;
            }

            TVector.Store(sums + column, s0);
            TVector.Store(sums + column + lanes, s1);
            TVector.Store(sums + column + (2 * lanes), s2);
            TVector.Store(sums + column + (3 * lanes), s3);
        }

        for (; column < columns; column += lanes)
        {
            int count = Math.Min(lanes, columns - column);
            TVector sum = TVector.LoadPartial(sums + column, count);
            float* from = x + column;
            for (long row = 0; row < rows; row++)
            {
                sum += TVector.LoadPartial(from, count);
                from += columns;
            }

            TVector.StorePartial(sums + column, sum, count);
        }
    }
}
