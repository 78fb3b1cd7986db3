using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

/// <summary>Optimizers and what is done to all gradients at once: whole numbers of 16 floats.</summary>
public sealed unsafe class UpdateGuardTests
{
    // Squares are summed in blocks of 4096.
    private static readonly int[] AroundBlocks = [4080, 4096, 4112, 8208];

    [Fact]
    public void Optimizers_AnyWholeCount_StayBetweenTheGuards()
    {
        foreach (int count in GuardedRun.WholeCounts)
        {
            GuardedRun.Of(new AdamUpdate(count));
            GuardedRun.Of(new RmsPropUpdate(count));
            GuardedRun.Of(new SgdUpdate(count));
            GuardedRun.Of(new MomentumUpdate(count, Nesterov: false));
            GuardedRun.Of(new MomentumUpdate(count, Nesterov: true));
        }
    }

    [Fact]
    public void Average_AnyWholeCount_StaysBetweenTheGuards()
    {
        foreach (int count in GuardedRun.WholeCounts)
            GuardedRun.Of(new Average(count));
    }

    [Fact]
    public void Gradients_AnyWholeCount_StayBetweenTheGuards()
    {
        foreach (int count in GuardedRun.WholeCounts.Concat(AroundBlocks))
        {
            GuardedRun.Of(new SumOfSquares(count));
            GuardedRun.Of(new Scale(count));
            GuardedRun.Of(new Clamp(count));
        }
    }

    private readonly record struct AdamUpdate(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => AdamKernel.Run<TVector>(
                buffers.Update(Count), buffers.Read(Count), buffers.Update(Count), buffers.Update(Count, low: 0), Count,
                new(Beta1: 0.9f, Beta2: 0.999f, Epsilon: 1e-8f, StepSize: 0.01f, RootCorrection: 1.1f, Keep: 0.99f));
    }

    private readonly record struct RmsPropUpdate(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            RmsPropKernel.Run<TVector>(buffers.Update(Count), buffers.Read(Count), buffers.Update(Count, low: 0), Count, 0.01f, 0.9f, 1e-8f);
    }

    private readonly record struct SgdUpdate(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => SgdKernel.Plain<TVector>(buffers.Update(Count), buffers.Read(Count), Count, 0.01f);
    }

    private readonly record struct MomentumUpdate(int Count, bool Nesterov) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            SgdKernel.WithMomentum<TVector>(buffers.Update(Count), buffers.Read(Count), buffers.Update(Count), Count, 0.01f, 0.9f, Nesterov);
    }

    private readonly record struct Average(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => AverageKernel.Run<TVector>(buffers.Read(Count), buffers.Update(Count), Count, 0.01f);
    }

    private readonly record struct SumOfSquares(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => *buffers.Write(1) = (float)GradientKernel.SumOfSquares<TVector>(buffers.Read(Count), Count);
    }

    private readonly record struct Scale(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => GradientKernel.Scale<TVector>(buffers.Update(Count), Count, 0.3f);
    }

    private readonly record struct Clamp(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => GradientKernel.Clamp<TVector>(buffers.Update(Count), Count, 0.3f);
    }
}
