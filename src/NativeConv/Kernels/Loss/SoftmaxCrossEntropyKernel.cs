using System.Runtime.CompilerServices;
using NativeConv.Numerics;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Softmax and its cross-entropy, row by row. Every row is shifted by its largest logit, so that no finite logit overflows; exponentials are added up in the order of the classes.
/// </summary>
internal static unsafe class SoftmaxCrossEntropyKernel
{
    private const int Block = 64;

    /// <summary>Writes each row's probabilities; input and output may be the same.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Softmax<TVector>(float* logits, float* probabilities, int rows, int classes)
        where TVector : struct, IVector<TVector>
    {
        for (int row = 0; row < rows; row++)
        {
            float sum = Exponentials<TVector>(logits, Largest<TVector>(logits, classes), probabilities, classes);
            ElementwiseKernel.MultiplyAdd<TVector>(probabilities, 1 / sum, 0, probabilities, classes);
            logits += classes;
            probabilities += classes;
        }
    }

    /// <summary>
    /// Writes each row's loss, log(Σ e^z) - Σ q z, and unless null its gradient (p - q) scale, where the target q is smoothing / classes
    /// everywhere and 1 - smoothing more at the label.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TVector>(float* logits, int* labels, float* losses, float* gradient, int rows, int classes, float smoothing, float scale)
        where TVector : struct, IVector<TVector>
    {
        float spread = smoothing / classes;
        for (int row = 0; row < rows; row++)
        {
            float largest = Largest<TVector>(logits, classes);
            float sum = Exponentials<TVector>(logits, largest, gradient, classes);
            double expected = (1 - (double)smoothing) * ((double)logits[labels[row]] - largest);
            for (int c = 0; spread > 0 && c < classes; c++)
                expected += (double)spread * ((double)logits[c] - largest);

            losses[row] = (float)(ScalarFunctions.Log(sum) - expected);
            logits += classes;
            if (gradient == null)
                continue;

            ElementwiseKernel.MultiplyAdd<TVector>(gradient, scale / sum, -spread * scale, gradient, classes);
            gradient[labels[row]] -= (1 - smoothing) * scale;
            gradient += classes;
        }
    }

    /// <summary>The largest value of a row.</summary>
    public static float Largest<TVector>(float* row, int classes)
        where TVector : struct, IVector<TVector>
    {
        float* lanes = stackalloc float[16];
        int i = 0, width = Math.Min(classes, TVector.Lanes);
        TVector most = TVector.Broadcast(row[0]);
        for (; i + TVector.Lanes <= classes; i += TVector.Lanes)
            most = Larger(most, TVector.Load(row + i));

        TVector.Store(lanes, most);
        float largest = lanes[0];
        for (int lane = 1; lane < width; lane++)
            largest = lanes[lane] > largest ? lanes[lane] : largest;

        for (; i < classes; i++)
            largest = row[i] > largest ? row[i] : largest;

        return largest;
    }

    private static TVector Larger<TVector>(TVector a, TVector b)
        where TVector : struct, IVector<TVector> => TVector.Select(TVector.LessThan(a, b), b, a);

    /// <summary>Writes e^(z - largest) unless there is nowhere to, and returns their sum.</summary>
    private static float Exponentials<TVector>(float* row, float largest, float* result, int classes)
        where TVector : struct, IVector<TVector>
    {
        float* block = stackalloc float[Block];
        TVector shift = TVector.Broadcast(largest);
        float sum = 0;
        for (int first = 0; first < classes; first += Block)
        {
            int length = Math.Min(Block, classes - first);
            for (int i = 0; i < length; i += TVector.Lanes)
                TVector.Store(block + i, VectorFunctions.Exp(TVector.LoadPartial(row + first + i, Math.Min(TVector.Lanes, length - i)) - shift));

            for (int i = 0; i < length; i++)
                sum += block[i];

            if (result != null)
                new ReadOnlySpan<float>(block, length).CopyTo(new(result + first, length));
        }

        return sum;
    }
}
