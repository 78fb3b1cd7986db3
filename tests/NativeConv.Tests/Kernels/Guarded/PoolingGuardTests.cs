using FsCheck.Xunit;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed unsafe class PoolingGuardTests
{
    private const int Images = 2;

    /// <summary>Windows that tile the image, overlap, leave gaps, reach into padding, and see the whole image.</summary>
    private static readonly Conv2DGeometry[] Geometries =
    [
        new(4, 6, 2, 2, 1, Padding.Valid),
        new(5, 4, 3, 1, 1, Padding.Same),
        new(7, 5, new(1, 2), new(3, 2), 1, Padding.Valid),
        new(4, 3, 3, 2, 1, Padding.Explicit(2, 1, 1, 2)),
        new(3, 5, new(3, 5), 1, 1, Padding.Valid),
        new(1, 1, 1, 1, 1, Padding.Valid),
    ];

    [Fact]
    public void Pooling_AnyNumberOfChannels_StaysBetweenTheGuards()
    {
        foreach (int channels in GuardedRun.Counts)
        {
            foreach (Conv2DGeometry geometry in Geometries)
                Pool(new(Images, geometry, channels));

            GuardedRun.Of(new LeaveWinners(channels));
            GuardedRun.Of(new GlobalForward(Pixels: 5, channels));
            GuardedRun.Of(new GlobalForward(Pixels: 1, channels));
            GuardedRun.Of(new GlobalBackward(Pixels: 5, channels));
            GuardedRun.Of(new GlobalBackward(Pixels: 1, channels));
        }
    }

    [Property(MaxTest = 40, Replay = GuardedRun.Seed, Arbitrary = [typeof(GeometryGenerators)])]
    public void Pooling_AnyGeometry_StaysBetweenTheGuards(PoolingCase c) => Pool(c);

    private static void Pool(PoolingCase c)
    {
        GuardedRun.Of(new MaxForward(c, Winners: true));
        GuardedRun.Of(new MaxForward(c, Winners: false));
        if (MaxPool2x2.Fits(c.Geometry))
        {
            GuardedRun.Of(new MaxRows(c, Winners: false));
            foreach (Activation activation in (Activation[])[Activation.Linear, Activation.ReLU, Activation.ReLU6])
                GuardedRun.Of(new MaxRows(c, Winners: true, activation));
        }

        GuardedRun.Of(new MaxBackward(c));
        GuardedRun.Of(new AverageForward(c));
        GuardedRun.Of(new AverageBackward(c));
    }

    private readonly record struct MaxForward(PoolingCase Case, bool Winners) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => MaxPoolKernel.Forward<TVector>(
                Case.Geometry, Case.Channels, buffers.Read(Case.InputLength), buffers.Write(Case.OutputLength),
                Winners ? buffers.WriteBytes(Case.OutputLength) : null, Case.Images);
    }

    private readonly record struct LeaveWinners(int Count) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            MaxPool2x2.LeaveWinners<TVector>(buffers.Update(Count), buffers.Read<byte>([.. Enumerable.Range(0, Count).Select(i => (byte)(i % 5))]), Count);
    }

    /// <summary>The last row of one image, whose other rows need not exist.</summary>
    private readonly record struct MaxRows(PoolingCase Case, bool Winners, Activation Activation = Activation.Linear) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            Conv2DGeometry g = Case.Geometry;
            int row = g.OutputWidth * Case.Channels, sourceRow = g.InputWidth * Case.Channels, last = g.OutputHeight - 1, source = last * g.StrideHeight;
            float* x = buffers.Read((g.InputHeight - source) * sourceRow) - (source * sourceRow);
            byte* winners = Winners ? buffers.WriteBytes(row) - (last * row) : null;
            MaxPool2x2.Forward<TVector>(g, Case.Channels, Rectifier.Of(Activation)!.Value, x, buffers.Write(row) - (last * row), winners, last, last + 1);
        }
    }

    private readonly record struct MaxBackward(PoolingCase Case) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            int cells = Case.Geometry.KernelHeight * Case.Geometry.KernelWidth;
            byte[] winners = [.. Enumerable.Range(0, Case.OutputLength).Select(i => (byte)(i % cells))];
            MaxPoolKernel.Backward<TVector>(
                Case.Geometry, Case.Channels, buffers.Read(Case.OutputLength), buffers.Read(winners), buffers.Write(Case.InputLength), Case.Images);
        }
    }

    private readonly record struct AverageForward(PoolingCase Case) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            AveragePoolKernel.Forward<TVector>(Case.Geometry, Case.Channels, buffers.Read(Case.InputLength), buffers.Write(Case.OutputLength), Case.Images);
    }

    private readonly record struct AverageBackward(PoolingCase Case) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> =>
            AveragePoolKernel.Backward<TVector>(Case.Geometry, Case.Channels, buffers.Read(Case.OutputLength), buffers.Write(Case.InputLength), Case.Images);
    }

    private readonly record struct GlobalForward(int Pixels, int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => GlobalAveragePoolKernel.Forward<TVector>(
                Pixels, Channels, buffers.Read(Images * Pixels * Channels), buffers.Write(Images * Channels), Images);
    }

    private readonly record struct GlobalBackward(int Pixels, int Channels) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector> => GlobalAveragePoolKernel.Backward<TVector>(
                Pixels, Channels, buffers.Read(Images * Channels), buffers.Write(Images * Pixels * Channels), Images);
    }
}
