using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Simd;

public sealed unsafe class TranspositionTests
{
    /// <summary>Rows and columns below, at and beyond whole squares, in buffers that end with the last value and in ones whose rows are longer.</summary>
    [Theory]
    [InlineData(Guard.Before, 0)]
    [InlineData(Guard.After, 0)]
    [InlineData(Guard.After, 3)]
    public void Run_AnySize_WritesColumnsAsRowsAndNothingBeside(Guard guard, int beyond)
    {
        for (int rows = 0; rows <= 9; rows++)
        {
            for (int columns = 0; columns <= 18; columns++)
            {
                int fromRow = columns + beyond, toRow = rows + beyond;
                float[] values = TestData.Uniform(Length(rows, fromRow, columns), 1);
                using var from = new GuardedMemory(values, guard);
                using var to = new GuardedMemory(Length(columns, toRow, rows), guard);
                to.Span.Fill(-7);
                Transposition.Run(from.Pointer, fromRow, to.Pointer, toRow, rows, columns);

                float[] expected = new float[to.Span.Length];
                Array.Fill(expected, -7);
                for (int row = 0; row < rows; row++)
                {
                    for (int column = 0; column < columns; column++)
                        expected[(column * toRow) + row] = values[(row * fromRow) + column];
                }

                to.Span.SequenceEqual(expected).Should().BeTrue("{0} rows of {1} should be exchanged", rows, columns);
                from.Span.SequenceEqual(values).Should().BeTrue("what is read should stay");
            }
        }
    }

    [Theory]
    [InlineData(Guard.Before)]
    [InlineData(Guard.After)]
    public void Pair_AnyLength_TakesTheRowsInTurn(Guard guard)
    {
        for (int columns = 0; columns <= 18; columns++)
        {
            float[] even = TestData.Uniform(columns, 1), odd = TestData.Uniform(columns, 2);
            using var first = new GuardedMemory(even, guard);
            using var second = new GuardedMemory(odd, guard);
            using var to = new GuardedMemory(2 * columns, guard);
            Transposition.Pair(first.Pointer, second.Pointer, to.Pointer, columns);

            float[] expected = [.. even.Zip(odd).SelectMany(pair => new[] { pair.First, pair.Second })];
            to.Span.SequenceEqual(expected).Should().BeTrue("{0} columns should be pairs", columns);
        }
    }

    private static int Length(int rows, int pitch, int columns) => rows == 0 || columns == 0 ? 0 : ((rows - 1) * pitch) + columns;
}
