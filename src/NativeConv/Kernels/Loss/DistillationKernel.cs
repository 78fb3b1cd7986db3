using System.Runtime.CompilerServices;
using NativeConv.Numerics;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>How far a student's softened probabilities q are from a teacher's p, row by row, where both are the softmax of logits / temperature.</summary>
internal static unsafe class DistillationKernel
{
    private const int Block = 64;

    /// <summary>
    /// Adds to each row's loss weight T² Σ p log(p / q), and unless it is null to the row's gradient by the student's logits its derivative, weight T (q - p), times the scale.
    /// Sums run in the order of the classes.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run<TVector>(
        float* student, float* teacher, float* losses, float* gradient, int rows, int classes, float temperature, float weight, float scale)
        where TVector : struct, IVector<TVector>
    {
        float* p = stackalloc float[Block], q = stackalloc float[Block];
        float inverse = 1 / temperature, slope = weight * temperature * scale;
        for (int row = 0; row < rows; row++)
        {
            float ownLargest = SoftmaxCrossEntropyKernel.Largest<TVector>(student, classes), largest = SoftmaxCrossEntropyKernel.Largest<TVector>(teacher, classes);
            float ownSum = Sum<TVector>(student, ownLargest, inverse, q, classes), sum = Sum<TVector>(teacher, largest, inverse, p, classes);
            double distance = 0;
            for (int first = 0; first < classes; first += Block)
            {
                int length = Math.Min(Block, classes - first);
                Exponentials<TVector>(student + first, ownLargest, inverse, q, length);
                Exponentials<TVector>(teacher + first, largest, inverse, p, length);
                for (int i = 0; i < length; i++)
                {
                    float target = p[i] / sum;
                    distance += target * (((double)teacher[first + i] - largest) - ((double)student[first + i] - ownLargest));
                    if (gradient != null)
                        gradient[first + i] += slope * ((q[i] / ownSum) - target);
                }
            }

            distance = (distance / temperature) + ScalarFunctions.Log(ownSum) - ScalarFunctions.Log(sum);
            losses[row] += (float)(weight * ((double)temperature * temperature) * distance);
            student += classes;
            teacher += classes;
            if (gradient != null)
                gradient += classes;
        }
    }

    private static float Sum<TVector>(float* row, float largest, float inverse, float* block, int classes)
        where TVector : struct, IVector<TVector>
    {
        float sum = 0;
        for (int first = 0; first < classes; first += Block)
        {
            int length = Math.Min(Block, classes - first);
            Exponentials<TVector>(row + first, largest, inverse, block, length);
            for (int i = 0; i < length; i++)
                sum += block[i];
        }

        return sum;
    }

    /// <summary>Writes e^((z - largest) / temperature) of up to a block.</summary>
    private static void Exponentials<TVector>(float* row, float largest, float inverse, float* block, int length)
        where TVector : struct, IVector<TVector>
    {
        TVector shift = TVector.Broadcast(largest), factor = TVector.Broadcast(inverse);
        for (int i = 0; i < length; i += TVector.Lanes)
            TVector.Store(block + i, VectorFunctions.Exp((TVector.LoadPartial(row + i, Math.Min(TVector.Lanes, length - i)) - shift) * factor));
    }
}
