using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a batch normalization, back through the ReLU that follows.</summary>
public unsafe class BatchNormalizationBackwardInput : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory x = Values.Block(Batch.Length), dy = Values.Block(Batch.Length), dx = Values.Block(Batch.Length);
        AlignedMemory mean = Values.Block(channels), scale = Values.Block(channels), beta = Values.Block(channels);
        AlignedMemory slope = Values.Block(channels), offsets = Values.Block(channels);
        return (_, first, count) =>
        {
            nint offset = (nint)first * pixels * channels;
            BatchNormalizationKernel.BackwardInput<TVector, ReluFunction>(
                x.Pointer + offset, dy.Pointer + offset, mean.Pointer, scale.Pointer, beta.Pointer, slope.Pointer, offsets.Pointer, dx.Pointer + offset,
                (nint)count * pixels, channels);
        };
    }
}
