using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dw of a dense layer, whose rows the threads share.</summary>
public unsafe class FullyConnectedBackwardWeights : FullyConnectedBenchmark
{
    private protected override int Items => Shape.Inputs;

    private protected override RangeWork Bind<TVector>()
    {
        (int images, int inputs, int outputs) = Shape;
        var kernel = new DenseKernel<TVector>(inputs, outputs);
        AlignedMemory x = Values.Block((long)images * inputs), dy = Values.Block((long)images * outputs), dw = Values.Block((long)inputs * outputs);
        return (_, first, count) => kernel.BackwardWeights(x.Pointer, dy.Pointer, dw.Pointer, first, first + count, images);
    }
}
