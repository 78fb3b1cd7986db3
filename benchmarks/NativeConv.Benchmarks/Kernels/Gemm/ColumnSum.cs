using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>The gradient of a bias: dy summed over images and pixels, added to a sum of each worker's own.</summary>
public unsafe class ColumnSum : BatchBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        int pixels = Batch.Pixels, channels = Batch.Channels;
        AlignedMemory dy = Values.Block(Batch.Length);
        AlignedMemory[] sums = Values.Blocks(Threads, channels);
        return (worker, first, count) =>
            ColumnSumKernel.Run<TVector>(dy.Pointer + ((nint)first * pixels * channels), sums[worker].Pointer, (long)count * pixels, channels);
    }
}
