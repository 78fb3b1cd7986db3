using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Probabilities of logits.</summary>
public unsafe class Softmax : SoftmaxBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        nint classes = Classes;
        AlignedMemory logits = Values.Block(Rows * classes), probabilities = Values.Block(Rows * classes);
        return (_, first, count) => SoftmaxCrossEntropyKernel.Softmax<TVector>(
            logits.Pointer + (first * classes), probabilities.Pointer + (first * classes), count, (int)classes);
    }
}
