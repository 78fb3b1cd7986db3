using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class ElementwiseGuardTests
{
    // A dropout draws its factors in blocks of 64.
    private static readonly int[] AroundBlocks = [127, 128, 129, 195];

    [Fact]
    public void Arithmetic_AnyCount_StaysBetweenTheGuards()
    {
        foreach (int count in GuardedRun.Counts)
        {
            GuardedRun.Of(new Add(count));
            GuardedRun.Of(new AddTo(count));
            GuardedRun.Of(new Multiply(count));
            GuardedRun.Of(new MultiplyAddTo(count));
            GuardedRun.Of(new MultiplyAdd(count));
            GuardedRun.Of(new Copy(count));
        }
    }

    [Fact]
    public void Dropout_AnyCount_StaysBetweenTheGuards()
    {
        foreach (int count in GuardedRun.Counts.Concat(AroundBlocks))
            GuardedRun.Of(new Dropout(count));
    }

    private readonly record struct Add(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ElementwiseKernel.Add<TVector>(buffers.Read(Count), buffers.Read(Count), buffers.Write(Count), Count);
    }

    private readonly record struct AddTo(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.AddTo<TVector>(buffers.Read(Count), buffers.Update(Count), Count);
    }

    private readonly record struct Multiply(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ElementwiseKernel.Multiply<TVector>(buffers.Read(Count), buffers.Read(Count), buffers.Write(Count), Count);
    }

    private readonly record struct MultiplyAddTo(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ElementwiseKernel.MultiplyAddTo<TVector>(buffers.Read(Count), buffers.Read(Count), buffers.Update(Count), Count);
    }

    private readonly record struct MultiplyAdd(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ElementwiseKernel.MultiplyAdd<TVector>(buffers.Read(Count), 1.7f, -0.3f, buffers.Write(Count), Count);
    }

    private readonly record struct Copy(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            ElementwiseKernel.CopyNonTemporal<TVector>(buffers.Read(Count), buffers.Write(Count), Count);
    }

    private readonly record struct Dropout(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            DropoutKernel.Run<TVector>(buffers.Read(Count), buffers.Write(Count), 7, Count, 0.3f, seed: 5, stream: 9);
    }
}
