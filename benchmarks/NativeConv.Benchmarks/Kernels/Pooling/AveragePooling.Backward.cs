using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of an average pooling.</summary>
public unsafe class AveragePoolingBackward : PoolingBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        PoolingShape shape = Shape;
        Conv2DGeometry geometry = shape.Geometry;
        nint input = shape.InputLength, output = shape.OutputLength;
        AlignedMemory dx = Values.Block(shape.Images * input), dy = Values.Block(shape.Images * output);
        return (_, first, count) => AveragePoolKernel.Backward<TVector>(geometry, shape.Channels, dy.Pointer + (first * output), dx.Pointer + (first * input), count);
    }
}
