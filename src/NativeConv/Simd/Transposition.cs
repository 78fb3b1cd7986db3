using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>Copies a matrix with its rows as columns. Four by four values are exchanged between registers, at every level alike: nothing is computed.</summary>
internal static unsafe class Transposition
{
    private const int Square = 4;

    /// <summary>Writes to[column, row] = from[row, column]; <paramref name="fromRow"/> and <paramref name="toRow"/> are floats from a row to the next.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* from, nint fromRow, float* to, nint toRow, int rows, int columns)
    {
        int wholeRows = rows - (rows % Square), wholeColumns = columns - (columns % Square);
        for (int row = 0; row < wholeRows; row += Square)
        {
            float* source = from + (row * fromRow), destination = to + row;
            for (int column = 0; column < wholeColumns; column += Square)
            {
                Exchange(source, fromRow, destination, toRow);
                source += Square;
                destination += Square * toRow;
            }
        }

        One(from + wholeColumns, fromRow, to + (wholeColumns * toRow), toRow, wholeRows, columns - wholeColumns);
        One(from + (wholeRows * fromRow), fromRow, to + wholeRows, toRow, rows - wholeRows, columns);
    }

    /// <summary>Writes the columns of two rows, which are pairs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Pair(float* first, float* second, float* to, int columns)
    {
        int column = 0;
        for (; column + Square <= columns; column += Square, to += 2 * Square)
        {
            Vector128<float> a = Vector128.Load(first + column), b = Vector128.Load(second + column);
            Low(a, b).Store(to);
            High(a, b).Store(to + Square);
        }

        for (; column < columns; column++, to += 2)
            (to[0], to[1]) = (first[column], second[column]);
    }

    private static void One(float* from, nint fromRow, float* to, nint toRow, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                to[(column * toRow) + row] = from[(row * fromRow) + column];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exchange(float* from, nint fromRow, float* to, nint toRow)
    {
        Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + fromRow);
        Vector128<float> c = Vector128.Load(from + (2 * fromRow)), d = Vector128.Load(from + (3 * fromRow));
        // Columns 0 and 1, then 2 and 3, of rows a and c, and of b and d.
        Vector128<float> firstEven = Low(a, c), firstOdd = Low(b, d), lastEven = High(a, c), lastOdd = High(b, d);
        Low(firstEven, firstOdd).Store(to);
        High(firstEven, firstOdd).Store(to + toRow);
        Low(lastEven, lastOdd).Store(to + (2 * toRow));
        High(lastEven, lastOdd).Store(to + (3 * toRow));
    }

    /// <summary>The lower halves, value by value in turn.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> left, Vector128<float> right) =>
        Sse.IsSupported ? Sse.UnpackLow(left, right)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(left, right)
        : Vector128.Create(left[0], right[0], left[1], right[1]);

    /// <summary>The upper halves, likewise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> left, Vector128<float> right) =>
        Sse.IsSupported ? Sse.UnpackHigh(left, right)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(left, right)
        : Vector128.Create(left[2], right[2], left[3], right[3]);
}
