using FluentAssertions;
using FsCheck.Xunit;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed class ConvolutionGuardTests
{
    private const int Images = 2;

    /// <summary>
    /// Pointwise below, at and above the rows of a tile; windows that see one pixel, the whole image, padding alone; strides and dilations that differ
    /// by axis; a dilation wider than the image; more pixels than a block of a weight gradient.
    /// </summary>
    private static readonly Conv2DGeometry[] Geometries =
    [
        new(1, 1, 1, 1, 1, Padding.Valid),
        new(3, 5, 1, 1, 1, Padding.Valid),
        new(5, 4, 1, 2, 1, Padding.Valid),
        new(5, 6, 3, 1, 1, Padding.Same),
        new(6, 5, 3, 1, 2, Padding.Same),
        new(2, 9, 3, 1, 3, Padding.Same),
        new(1, 1, 3, 1, 1, Padding.Same),
        new(7, 6, 3, 2, 1, Padding.Same),
        new(3, 4, new(3, 4), 1, 1, Padding.Valid),
        new(5, 6, 5, 1, 1, Padding.Same),
        new(8, 7, 7, new(2, 3), 1, Padding.Same),
        new(6, 7, new(2, 3), new(2, 1), new(1, 2), Padding.Explicit(0, 3, 4, 1)),
        new(16, 13, 3, 1, 1, Padding.Same),
    ];

    /// <summary>Input channels, output channels, groups: around the lanes and two to five vectors, few of either, so many of both that factors are packed, and groups of few.</summary>
    private static readonly (int Inputs, int Outputs, int Groups)[] Channels =
    [
        (1, 1, 1), (1, 3, 1), (1, 17, 1), (1, 33, 1), (3, 8, 1), (5, 15, 1), (16, 1, 1), (17, 4, 1), (15, 5, 1), (16, 16, 1), (7, 31, 1), (33, 9, 1), (4, 35, 1), (34, 33, 1),
        (6, 9, 3), (34, 4, 2), (8, 34, 2), (16, 48, 1), (17, 61, 1), (33, 64, 1), (18, 80, 1), (6, 116, 2),
    ];

    [Fact]
    public void Dense_ChannelsAroundTileEdges_StaysBetweenTheGuards()
    {
        foreach ((int inputs, int outputs, int groups) in Channels)
        {
            foreach (Conv2DGeometry geometry in Geometries)
                GuardedConvolution.Run(new ConvolutionCase(Images, geometry, inputs, outputs, groups));
        }
    }

    [Fact]
    public void SparseGradients_StayBetweenTheGuards()
    {
        foreach ((int inputs, int outputs) in ((int, int)[])[(16, 16), (32, 17), (48, 33), (240, 16)])
        {
            foreach (Conv2DGeometry geometry in Geometries)
                GuardedConvolution.RunSparse(new ConvolutionCase(Images, geometry, inputs, outputs, Groups: 1));
        }
    }

    /// <summary>Few input channels behind a 2x2 pooling; of one, with taps for one tile and for several.</summary>
    [Fact]
    public void PooledConvolutions_BothWays_StayBetweenTheGuards()
    {
        foreach ((int inputs, int outputs) in ((int, int)[])[(1, 16), (1, 48), (2, 32), (3, 16), (4, 64)])
        {
            foreach (Conv2DGeometry geometry in (Conv2DGeometry[])
                [new(6, 4, 3, 1, 2, Padding.Same), new(12, 20, 5, 2, 1, Padding.Same), new(12, 20, 5, 1, 1, Padding.Same), new(9, 8, new(2, 3), new(1, 2), new(3, 1), Padding.Explicit(1, 3, 0, 2)), new(40, 30, 3, 1, 1, Padding.Same)])
            {
                PooledWeightGradient.Fits(geometry, inputs, outputs, groups: 1).Should().BeTrue();
                GuardedRun.Of(new PooledBackward(new(Images, geometry, inputs, outputs, Groups: 1)));
                foreach (bool winners in (bool[])[false, true])
                    GuardedRun.Of(new PooledForward(new(1, geometry, inputs, outputs, Groups: 1), winners));
            }
        }
    }

    [Property(MaxTest = 60, Replay = GuardedRun.Seed, Arbitrary = [typeof(GeometryGenerators)])]
    public void Dense_AnyGeometry_StaysBetweenTheGuards(ConvolutionCase c) => GuardedConvolution.Run(c);

    private readonly record struct PooledForward(ConvolutionCase Case, bool Winners) : IGuardedKernel
    {
        public unsafe void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            float* x = buffers.Read(Case.InputLength), w = buffers.Read(Case.WeightsLength), b = Winners ? buffers.Read(Case.OutputChannels) : null;
            new PooledConvolution(Case.Geometry, Case.InputChannels, Case.OutputChannels, Rectifier.Of(Activation.ReLU)!.Value).Run<TVector>(
                x, w, b, buffers.Write(Case.OutputLength / 4), Winners ? buffers.WriteBytes(Case.OutputLength / 4) : null, 0, Case.Geometry.OutputHeight / 2);
        }
    }

    private readonly record struct PooledBackward(ConvolutionCase Case) : IGuardedKernel
    {
        public unsafe void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            var gradient = new PooledGradient<TVector>(Case.Geometry, Case.InputChannels, Case.OutputChannels);
            byte[] winners = [.. Enumerable.Range(0, Case.OutputLength / 4).Select(i => (byte)(i * 7 % 4))];
            float* packed = buffers.Scratch(gradient.PackedLength);
            gradient.Pack(buffers.Read(Case.WeightsLength), packed);
            gradient.Run(
                buffers.Read(Case.InputLength), buffers.Read(winners.Length), buffers.Read(winners), packed, buffers.Write(Case.InputLength), buffers.Update(Case.WeightsLength),
                buffers.Scratch(gradient.ScratchLength), Case.Images);
        }
    }
}
