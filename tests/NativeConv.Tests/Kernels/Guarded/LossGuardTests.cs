using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class LossGuardTests
{
    private const int Rows = 3;

    // Exponentials are taken in blocks of 64.
    private static readonly int[] AroundBlocks = [127, 128, 129, 195];

    [Fact]
    public void Losses_AnyNumberOfClasses_StayBetweenTheGuards()
    {
        foreach (int classes in GuardedRun.Counts.Concat(AroundBlocks))
        {
            GuardedRun.Of(new Softmax(classes));
            GuardedRun.Of(new CrossEntropy(classes, Smoothing: 0, Gradient: true));
            GuardedRun.Of(new CrossEntropy(classes, Smoothing: 0.1f, Gradient: true));
            GuardedRun.Of(new CrossEntropy(classes, Smoothing: 0.1f, Gradient: false));
            GuardedRun.Of(new Distilled(classes, Gradient: true));
            GuardedRun.Of(new Distilled(classes, Gradient: false));
        }
    }

    private readonly record struct Softmax(int Classes) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            SoftmaxCrossEntropyKernel.Softmax<TVector>(buffers.Read(Rows * Classes, -9, 9), buffers.Write(Rows * Classes), Rows, Classes);
    }

    private readonly record struct Distilled(int Classes, bool Gradient) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => DistillationKernel.Run<TVector>(
            buffers.Read(Rows * Classes, -9, 9), buffers.Read(Rows * Classes, -9, 9), buffers.Update(Rows), Gradient ? buffers.Update(Rows * Classes) : null,
            Rows, Classes, temperature: 3, weight: 0.5f, 1f / Rows);
    }

    private readonly record struct CrossEntropy(int Classes, float Smoothing, bool Gradient) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            // The first and the last class, and one between.
            int[] labels = [0, Classes - 1, Classes / 2];
            SoftmaxCrossEntropyKernel.Run<TVector>(
                buffers.Read(Rows * Classes, -9, 9), buffers.Read(labels), buffers.Write(Rows), Gradient ? buffers.Write(Rows * Classes) : null,
                Rows, Classes, Smoothing, 1f / Rows);
        }
    }
}
