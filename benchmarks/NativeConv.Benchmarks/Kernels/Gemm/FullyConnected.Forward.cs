using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a dense layer.</summary>
public unsafe class FullyConnectedForward : FullyConnectedBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        (int images, int inputs, int outputs) = Shape;
        var kernel = new DenseKernel<TVector>(inputs, outputs);
        AlignedMemory x = Values.Block((long)images * inputs), y = Values.Block((long)images * outputs);
        AlignedMemory bias = Values.Block(outputs), packed = new(kernel.ForwardPackedLength);
        AlignedMemory weights = Values.Block((long)inputs * outputs);
        kernel.PackForward(weights.Pointer, bias.Pointer, packed.Pointer, Share.All);
        GC.KeepAlive(weights);
        return (_, first, count) => kernel.Forward(x.Pointer + ((nint)first * inputs), packed.Pointer, bias.Pointer, y.Pointer + ((nint)first * outputs), count);
    }
}
