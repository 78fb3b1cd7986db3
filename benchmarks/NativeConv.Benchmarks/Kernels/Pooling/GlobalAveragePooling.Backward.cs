using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a global average pooling.</summary>
public unsafe class GlobalAveragePoolingBackward : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory dx = Values.Block(Batch.Length), dy = Values.Block((long)Batch.Images * channels);
        return (_, first, count) =>
            GlobalAveragePoolKernel.Backward<TVector>(pixels, channels, dy.Pointer + ((nint)first * channels), dx.Pointer + ((nint)first * pixels * channels), count);
    }
}
