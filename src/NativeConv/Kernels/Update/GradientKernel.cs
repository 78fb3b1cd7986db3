using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What is done to all gradients at once. Counts are whole numbers of 16 floats.</summary>
internal static unsafe class GradientKernel
{
    /// <summary>Floats that are summed in single precision before they join the total in double.</summary>
    public const int Block = 4096;

    /// <summary>The sum of squares: 16 lanes and a tree within a block, blocks in order.</summary>
    public static double SumOfSquares<TVector>(float* gradient, nint count)
        where TVector : struct, IVector<TVector>
    {
        double total = 0;
        for (nint i = 0; i < count; i += Block)
        {
            float sum;
            int length = (int)nint.Min(Block, count - i);
            DotKernel.Run<TVector>(new DotTile
            {
                Left = gradient + i, Right = gradient + i, Result = &sum, ResultRow = 1, LeftRow = length, Rows = 1, TapRows = 1, TapColumns = 1, Length = length,
            });
            total += sum;
        }

        return total;
    }

    public static void Scale<TVector>(float* gradient, nint count, float factor)
        where TVector : struct, IVector<TVector>
    {
        TVector by = TVector.Broadcast(factor);
        for (nint i = 0; i < count; i += TVector.Lanes)
            TVector.Store(gradient + i, TVector.Load(gradient + i) * by);
    }

    /// <summary>Bounds each component's magnitude.</summary>
    public static void Clamp<TVector>(float* gradient, nint count, float bound)
        where TVector : struct, IVector<TVector>
    {
        TVector most = TVector.Broadcast(bound);
        for (nint i = 0; i < count; i += TVector.Lanes)
        {
            TVector g = TVector.Load(gradient + i);
            TVector.Store(gradient + i, TVector.Select(TVector.LessThan(most, TVector.Abs(g)), TVector.CopySign(most, g), g));
        }
    }
}
