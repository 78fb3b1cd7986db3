using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Losses and gradients of logits.</summary>
public unsafe class SoftmaxCrossEntropy : SoftmaxBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        nint classes = Classes;
        AlignedMemory logits = Values.Block(Rows * classes), gradient = Values.Block(Rows * classes), losses = Values.Block(Rows);
        int[] labels = [.. Enumerable.Range(0, Rows).Select(row => row % (int)classes)];
        return (_, first, count) =>
        {
            fixed (int* label = labels)
            {
                SoftmaxCrossEntropyKernel.Run<TVector>(
                    logits.Pointer + (first * classes), label + first, losses.Pointer + first, gradient.Pointer + (first * classes), count, (int)classes,
                    smoothing: 0.1f, scale: 1f / Rows);
            }
        };
    }
}
