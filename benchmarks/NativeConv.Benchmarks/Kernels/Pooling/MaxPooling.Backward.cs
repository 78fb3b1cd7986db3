using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a max-pooling.</summary>
public unsafe class MaxPoolingBackward : PoolingBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        PoolingShape shape = Shape;
        Conv2DGeometry geometry = shape.Geometry;
        nint input = shape.InputLength, output = shape.OutputLength;
        AlignedMemory dx = Values.Block(shape.Images * input), dy = Values.Block(shape.Images * output);
        byte[] winners = new byte[shape.Images * output];
        fixed (byte* won = winners)
            MaxPoolKernel.Forward<TVector>(geometry, shape.Channels, dx.Pointer, dy.Pointer, won, shape.Images);

        return (_, first, count) =>
        {
            fixed (byte* won = winners)
                MaxPoolKernel.Backward<TVector>(geometry, shape.Channels, dy.Pointer + (first * output), won + (first * output), dx.Pointer + (first * input), count);
        };
    }
}
