using FsCheck.Xunit;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

/// <summary>Every pass of every convolution algorithm: packing, forward, both gradients apart and in one sweep.</summary>
public sealed unsafe class ConvolutionGuardTests
{
    private const int Images = 2, Shares = 2;

    /// <summary>
    /// Pointwise below, at and above the rows of a tile; windows that see one pixel, the whole image, padding alone; strides and dilations that differ
    /// by axis; a dilation wider than the image.
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
    ];

    /// <summary>Input channels, output channels, groups: around the lanes and two vectors, few of either, and groups of few.</summary>
    private static readonly (int Inputs, int Outputs, int Groups)[] Channels =
    [
        (1, 1, 1), (1, 3, 1), (1, 17, 1), (1, 33, 1), (3, 8, 1), (5, 15, 1), (16, 1, 1), (17, 4, 1), (15, 5, 1), (16, 16, 1), (7, 31, 1), (33, 9, 1), (4, 35, 1),
        (6, 9, 3), (34, 4, 2), (8, 34, 2),
    ];

    private static readonly (int Channels, int Multiplier)[] DepthwiseChannels =
    [
        (1, 1), (2, 1), (7, 1), (15, 1), (16, 1), (17, 1), (31, 1), (32, 1), (33, 1), (64, 1), (67, 1), (1, 2), (1, 17), (3, 2), (8, 2), (5, 3), (17, 2), (2, 16), (3, 17),
    ];

    [Fact]
    public void Dense_ChannelsAroundTileEdges_StaysBetweenTheGuards()
    {
        foreach ((int inputs, int outputs, int groups) in Channels)
        {
            foreach (Conv2DGeometry geometry in Geometries)
                Run(new ConvolutionCase(Images, geometry, inputs, outputs, groups));
        }
    }

    [Fact]
    public void Depthwise_ChannelsAroundTileEdges_StaysBetweenTheGuards()
    {
        foreach ((int channels, int multiplier) in DepthwiseChannels)
        {
            foreach (Conv2DGeometry geometry in Geometries)
                Run(new DepthwiseCase(Images, geometry, channels, multiplier));
        }
    }

    [Property(MaxTest = 60, Replay = GuardedRun.Seed, Arbitrary = [typeof(GeometryGenerators)])]
    public void Dense_AnyGeometry_StaysBetweenTheGuards(ConvolutionCase c) => Run(c);

    [Property(MaxTest = 60, Replay = GuardedRun.Seed, Arbitrary = [typeof(GeometryGenerators)])]
    public void Depthwise_AnyGeometry_StaysBetweenTheGuards(DepthwiseCase c) => Run(c);

    private static void Run(ConvolutionCase c)
    {
        GuardedRun.Of(new Forward(c, Multiplier: 0));
        GuardedRun.Of(new Backward(c, Multiplier: 0));
    }

    private static void Run(DepthwiseCase c)
    {
        GuardedRun.Of(new Forward(c.AsConvolution, c.Multiplier));
        GuardedRun.Of(new Backward(c.AsConvolution, c.Multiplier));
    }

    /// <summary>The algorithm of a depthwise convolution, or with a multiplier of 0 of a dense one.</summary>
    private static ConvolutionAlgorithm<TVector> Algorithm<TVector>(ConvolutionCase c, int multiplier)
        where TVector : struct, IVector<TVector> => multiplier > 0
            ? ConvolutionAlgorithm<TVector>.Depthwise(c.Geometry, c.InputChannels, multiplier)
            : ConvolutionAlgorithm<TVector>.Dense(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups);

    private readonly record struct Forward(ConvolutionCase Case, int Multiplier) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier);
            float* w = buffers.Read(Case.WeightsLength), b = buffers.Read(Case.OutputChannels), x = buffers.Read(Case.InputLength);
            float* packed = buffers.Scratch(algorithm.ForwardPackedLength), scratch = buffers.Scratch(algorithm.ScratchLength);
            algorithm.PackForward(w, b, packed);
            algorithm.Forward(x, packed, buffers.Write(Case.OutputLength), scratch, Case.Images);
            float* y = buffers.Write(Case.OutputLength);
            for (int share = 0; share < Shares; share++)
                algorithm.PackForward(w, null, packed, new(share, Shares));

            for (int share = 0; share < Shares; share++)
                algorithm.Forward(x, packed, y, scratch, Case.Images, new(share, Shares));
        }
    }

    private readonly record struct Backward(ConvolutionCase Case, int Multiplier) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier);
            float* x = buffers.Read(Case.InputLength), dy = buffers.Read(Case.OutputLength);
            float* packed = buffers.Scratch(algorithm.BackwardPackedLength), scratch = buffers.Scratch(algorithm.ScratchLength);
            algorithm.PackBackward(buffers.Read(Case.WeightsLength), packed);
            algorithm.BackwardInput(dy, packed, buffers.Write(Case.InputLength), scratch, Case.Images);
            algorithm.BackwardWeights(x, dy, buffers.Update(Case.WeightsLength), scratch, Case.Images);
            float* dx = buffers.Write(Case.InputLength), dw = buffers.Update(Case.WeightsLength), w = buffers.Read(Case.WeightsLength);
            for (int share = 0; share < Shares; share++)
                algorithm.PackBackward(w, packed, new(share, Shares));

            for (int share = 0; share < Shares; share++)
            {
                algorithm.BackwardInput(dy, packed, dx, scratch, Case.Images, new(share, Shares));
                algorithm.BackwardWeights(x, dy, dw, scratch, Case.Images, new(share, Shares));
            }

            algorithm.Backward(x, dy, packed, buffers.Write(Case.InputLength), buffers.Update(Case.WeightsLength), scratch, Case.Images);
        }
    }
}
