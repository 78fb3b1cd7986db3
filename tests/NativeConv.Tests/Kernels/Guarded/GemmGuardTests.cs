using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class GemmGuardTests
{
    // Around the sides of every level's tiles, 6 to 14 rows of one to four vectors, and what a dense layer takes for few outputs.
    private static readonly int[] Inputs = [1, 5, 6, 7, 13, 14, 15, 17, 29, 35, 64], Outputs = [1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 35, 48, 61, 80];

    [Fact]
    public void Dense_SizesAroundTileEdges_StaysBetweenTheGuards()
    {
        foreach (int inputs in Inputs)
        {
            foreach (int outputs in Outputs)
            {
                foreach (bool bias in (bool[])[false, true])
                {
                    foreach (int images in (int[])[1, 15])
                    {
                        GuardedRun.Of(new DenseForward(inputs, outputs, images, bias));
                        if (!bias)
                            GuardedRun.Of(new DenseBackward(inputs, outputs, images));
                    }
                }
            }
        }
    }

    [Fact]
    public void Dot_RowsAndTapsOfAnyLength_StaysBetweenTheGuards()
    {
        foreach (int length in GuardedRun.Counts)
        {
            foreach (int rows in (int[])[1, 2, 4, 5, 7, 8, 9, 17])
            {
                GuardedRun.Of(new Dot(rows, TapRows: 1, TapColumns: 1, length));
                GuardedRun.Of(new Dot(rows, TapRows: 2, TapColumns: 3, length));
            }
        }
    }

    [Fact]
    public void ColumnSum_AnyNumberOfColumns_StaysBetweenTheGuards()
    {
        foreach (int columns in GuardedRun.Counts)
        {
            foreach (int rows in (int[])[1, 2, 5])
                GuardedRun.Of(new ColumnSum(rows, columns));
        }
    }

    private readonly record struct DenseForward(int Inputs, int Outputs, int Images, bool Bias) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            var kernel = new DenseKernel<TVector>(Inputs, Outputs);
            float* bias = Bias ? buffers.Read(Outputs) : null, packed = buffers.Scratch(kernel.ForwardPackedLength);
            kernel.PackForward(buffers.Read(Inputs * Outputs), bias, packed, Share.All);
            kernel.Forward(buffers.Read(Images * Inputs), packed, bias, buffers.Write(Images * Outputs), Images);
        }
    }

    private readonly record struct DenseBackward(int Inputs, int Outputs, int Images) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            var kernel = new DenseKernel<TVector>(Inputs, Outputs);
            float* x = buffers.Read(Images * Inputs), dy = buffers.Read(Images * Outputs), packed = buffers.Scratch(kernel.BackwardPackedLength);
            kernel.PackBackward(buffers.Read(Inputs * Outputs), packed, Share.All);
            kernel.BackwardInput(dy, packed, buffers.Write(Images * Inputs), Images);
            // Two workers' shares of the rows.
            float* dw = buffers.Update(Inputs * Outputs);
            int half = Inputs / 2;
            kernel.BackwardWeights(x, dy, dw, 0, half, Images);
            kernel.BackwardWeights(x, dy, dw, half, Inputs, Images);
        }
    }

    /// <summary>Rows one after the other, each of all taps; results two apart.</summary>
    private readonly record struct Dot(int Rows, int TapRows, int TapColumns, int Length) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            int row = TapRows * TapColumns * Length;
            DotKernel.Run<TVector>(new DotTile
            {
                Left = buffers.Read(Rows * row), LeftRow = row, LeftTapRow = TapColumns * Length, LeftTapColumn = Length,
                Right = buffers.Read(row), RightTapRow = TapColumns * Length, RightTapColumn = Length,
                Result = buffers.Update((2 * Rows) - 1), ResultRow = 2, Rows = Rows, TapRows = TapRows, TapColumns = TapColumns, Length = Length, Bias = 0.5f,
            });
        }
    }

    private readonly record struct ColumnSum(int Rows, int Columns) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => ColumnSumKernel.Run<TVector>(buffers.Read(Rows * Columns), buffers.Update(Columns), Rows, Columns);
    }
}
