using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a max-pooling, and its winners.</summary>
public unsafe class MaxPoolingForward : PoolingBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        PoolingShape shape = Shape;
        Conv2DGeometry geometry = shape.Geometry;
        nint input = shape.InputLength, output = shape.OutputLength;
        AlignedMemory x = Values.Block(shape.Images * input), y = Values.Block(shape.Images * output);
        byte[] winners = new byte[shape.Images * output];
        return (_, first, count) =>
        {
            fixed (byte* won = winners)
                MaxPoolKernel.Forward<TVector>(geometry, shape.Channels, x.Pointer + (first * input), y.Pointer + (first * output), won + (first * output), count);
        };
    }
}
