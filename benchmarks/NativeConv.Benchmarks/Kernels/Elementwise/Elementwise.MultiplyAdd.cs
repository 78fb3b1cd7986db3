using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y = x factor + offset: input normalization.</summary>
public unsafe class ElementwiseMultiplyAdd : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory x = Values.Block(Length), y = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            ElementwiseKernel.MultiplyAdd<TVector>(x.Pointer + offset, 0.5f, 0.1f, y.Pointer + offset, (nint)count * Together);
        };
    }
}
