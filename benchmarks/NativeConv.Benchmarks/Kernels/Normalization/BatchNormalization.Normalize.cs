using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a batch normalization whose statistics are known, and of the ReLU that follows.</summary>
public unsafe class BatchNormalizationNormalize : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory x = Values.Block(Batch.Length), y = Values.Block(Batch.Length);
        AlignedMemory mean = Values.Block(channels), scale = Values.Block(channels), beta = Values.Block(channels);
        return (_, first, count) =>
        {
            nint offset = (nint)first * pixels * channels;
            BatchNormalizationKernel.Normalize<TVector, ReluFunction>(
                x.Pointer + offset, mean.Pointer, scale.Pointer, beta.Pointer, y.Pointer + offset, (nint)count * pixels, channels);
        };
    }
}
