using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The gradients of beta and gamma over each image, back through the ReLU that follows.</summary>
public unsafe class BatchNormalizationBackwardSums : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory x = Values.Block(Batch.Length), dy = Values.Block(Batch.Length);
        AlignedMemory mean = Values.Block(channels), inverse = Values.Block(channels), scale = Values.Block(channels), beta = Values.Block(channels);
        AlignedMemory sums = Values.Block((long)Batch.Images * channels), normalized = Values.Block((long)Batch.Images * channels);
        return (_, first, count) =>
        {
            for (nint image = first; image < first + count; image++)
            {
                nint offset = image * pixels * channels;
                BatchNormalizationKernel.BackwardSums<TVector, ReluFunction>(
                    x.Pointer + offset, dy.Pointer + offset, mean.Pointer, inverse.Pointer, scale.Pointer, beta.Pointer, pixels, channels,
                    sums.Pointer + (image * channels), normalized.Pointer + (image * channels));
            }
        };
    }
}
