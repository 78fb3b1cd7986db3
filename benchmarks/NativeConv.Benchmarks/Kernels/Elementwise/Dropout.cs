using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a dropout; its gradient is the same.</summary>
public unsafe class Dropout : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory x = Values.Block(Length), y = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            DropoutKernel.Run<TVector>(x.Pointer + offset, y.Pointer + offset, (ulong)offset, (nint)count * Together, rate: 0.5f, seed: 1, stream: 1);
        };
    }
}
