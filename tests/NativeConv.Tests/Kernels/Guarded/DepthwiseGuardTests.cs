using FsCheck.Xunit;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels.Guarded;

public sealed class DepthwiseGuardTests
{
    private const int Images = 2;

    /// <summary>
    /// Images of one pixel, of a tile and a part of one, along either axis; windows that see the whole image, or padding alone, that are too wide for one
    /// run of taps; strides and dilations that differ by axis; a dilation wider than the image.
    /// </summary>
    private static readonly Conv2DGeometry[] Geometries =
    [
        new(1, 1, 3, 1, 1, Padding.Same),
        new(5, 6, 3, 1, 1, Padding.Same),
        new(2, 29, 3, 1, 1, Padding.Same),
        new(29, 2, 3, 1, 1, Padding.Same),
        new(6, 5, 3, 1, 2, Padding.Same),
        new(2, 9, 3, 1, 3, Padding.Same),
        new(7, 6, 3, 2, 1, Padding.Same),
        new(5, 6, 1, 1, 1, Padding.Valid),
        new(3, 4, new(3, 4), 1, 1, Padding.Valid),
        new(5, 6, 5, 1, 1, Padding.Same),
        new(9, 11, 9, 1, 1, Padding.Same),
        new(8, 7, 7, new(2, 3), 1, Padding.Same),
        new(6, 7, new(2, 3), new(2, 1), new(1, 2), Padding.Explicit(0, 3, 4, 1)),
    ];

    /// <summary>Around the lanes and whole vectors of them, each with one output or several.</summary>
    private static readonly (int Channels, int Multiplier)[] Channels =
    [
        (1, 1), (2, 1), (7, 1), (15, 1), (16, 1), (17, 1), (31, 1), (32, 1), (33, 1), (67, 1), (1, 2), (1, 17), (3, 2), (8, 2), (5, 3), (17, 2), (2, 16), (3, 17),
    ];

    [Fact]
    public void Depthwise_ChannelsAroundTileEdges_StaysBetweenTheGuards()
    {
        foreach ((int channels, int multiplier) in Channels)
        {
            foreach (Conv2DGeometry geometry in Geometries)
                GuardedConvolution.Run(new DepthwiseCase(Images, geometry, channels, multiplier));
        }
    }

    /// <summary>More than 8 MiB, from where rows are fetched ahead, gradients go in step and results are stored past the caches.</summary>
    [Fact]
    public void Depthwise_LargerThanTheCaches_StaysBetweenTheGuards()
    {
        GuardedConvolution.Run(new DepthwiseCase(Images, new(131, 127, 3, 1, 2, Padding.Same), Channels: 64, Multiplier: 1));
        GuardedConvolution.RunForward(new DepthwiseCase(Images, new(114, 112, 3, 2, 1, Padding.Same), Channels: 336, Multiplier: 1));
    }

    /// <summary>Pixels a multiple of 2 KB apart, which some processors compute from copies of groups of channels, in one band of rows and in several.</summary>
    [Fact]
    public void Depthwise_DistantPixels_StaysBetweenTheGuards()
    {
        GuardedConvolution.RunDistant(new DepthwiseCase(Images, new(7, 6, 3, 1, 1, Padding.Same), Channels: 1024, Multiplier: 1));
        GuardedConvolution.RunDistant(new DepthwiseCase(1, new(23, 29, 3, 1, 2, Padding.Same), Channels: 512, Multiplier: 1));
    }

    // Few, because each geometry has kernels compiled of its own.
    [Property(MaxTest = 4, Replay = GuardedRun.Seed, Arbitrary = [typeof(GeometryGenerators)])]
    public void Depthwise_AnyGeometry_StaysBetweenTheGuards(DepthwiseCase c) => GuardedConvolution.Run(c);
}
