using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a global average pooling.</summary>
public unsafe class GlobalAveragePoolingForward : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory x = Values.Block(Batch.Length), y = Values.Block((long)Batch.Images * channels);
        return (_, first, count) =>
            GlobalAveragePoolKernel.Forward<TVector>(pixels, channels, x.Pointer + ((nint)first * pixels * channels), y.Pointer + ((nint)first * channels), count);
    }
}
