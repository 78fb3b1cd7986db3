using NativeConv.Kernels;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>y = a b.</summary>
public unsafe class ElementwiseMultiply : ValuesBenchmark
{
    private protected override RangeWork Bind<TVector>()
    {
        AlignedMemory a = Values.Block(Length), b = Values.Block(Length), y = Values.Block(Length);
        return (_, first, count) =>
        {
            nint offset = (nint)first * Together;
            ElementwiseKernel.Multiply<TVector>(a.Pointer + offset, b.Pointer + offset, y.Pointer + offset, (nint)count * Together);
        };
    }
}
