using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of an average pooling.</summary>
public unsafe class AveragePoolingForward : PoolingBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        PoolingShape shape = Shape;
        Conv2DGeometry geometry = shape.Geometry;
        nint input = shape.InputLength, output = shape.OutputLength;
        AlignedMemory x = Values.Block(shape.Images * input), y = Values.Block(shape.Images * output);
        return (_, first, count) => AveragePoolKernel.Forward<TVector>(geometry, shape.Channels, x.Pointer + (first * input), y.Pointer + (first * output), count);
    }
}
