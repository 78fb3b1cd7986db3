using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a dense layer.</summary>
public unsafe class FullyConnectedBackwardInput : FullyConnectedBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        (int images, int inputs, int outputs) = Shape;
        var kernel = new DenseKernel<TVector>(inputs, outputs);
        AlignedMemory dx = Values.Block((long)images * inputs), dy = Values.Block((long)images * outputs), packed = new(kernel.BackwardPackedLength);
        AlignedMemory weights = Values.Block((long)inputs * outputs);
        kernel.PackBackward(weights.Pointer, packed.Pointer, Share.All);
        GC.KeepAlive(weights);
        return (_, first, count) => kernel.BackwardInput(dy.Pointer + ((nint)first * outputs), packed.Pointer, dx.Pointer + ((nint)first * inputs), count);
    }
}
