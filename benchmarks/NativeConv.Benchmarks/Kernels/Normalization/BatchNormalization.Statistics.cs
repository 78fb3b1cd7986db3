using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Means and squared deviations of each image's channels.</summary>
public unsafe class BatchNormalizationStatistics : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory x = Values.Block(Batch.Length), means = Values.Block((long)Batch.Images * channels), deviations = Values.Block((long)Batch.Images * channels);
        return (_, first, count) =>
        {
            for (nint image = first; image < first + count; image++)
            {
                BatchNormalizationKernel.Statistics<TVector>(
                    x.Pointer + (image * pixels * channels), pixels, channels, means.Pointer + (image * channels), deviations.Pointer + (image * channels));
            }
        };
    }
}
