using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A step of the weights' moving average.</summary>
public unsafe class AverageUpdate : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory weights = Values.Block(Length), average = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            AverageKernel.Run<TVector>(weights.Pointer + offset, average.Pointer + offset, (nint)count * Together, 0.001f);
        };
    }
}
