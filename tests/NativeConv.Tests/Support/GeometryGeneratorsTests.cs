using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace NativeConv.Tests.Support;

/// <summary>The generators reach what they promise: a property over cases that are all alike would prove nothing.</summary>
public sealed class GeometryGeneratorsTests
{
    private static readonly Lazy<ConvolutionCase[]> Convolutions = new(() => Draw(GeometryGenerators.Convolutions()));
    private static readonly Lazy<DepthwiseCase[]> Depthwise = new(() => Draw(GeometryGenerators.DepthwiseConvolutions()));
    private static readonly Lazy<PoolingCase[]> Poolings = new(() => Draw(GeometryGenerators.Poolings()));

    private static IEnumerable<Conv2DGeometry> Geometries =>
    [
        .. Convolutions.Value.Select(c => c.Geometry), .. Depthwise.Value.Select(c => c.Geometry),
        .. Poolings.Value.Select(c => c.Geometry),
    ];

    [Fact]
    public void Geometries_Drawn_CoverWhatHidesBugs()
    {
        Geometries.Should().OnlyContain(g => g.OutputHeight >= 1 && g.OutputWidth >= 1);
        Geometries.Should().Contain(g => g.InputHeight == 1 && g.InputWidth == 1, "images of 1x1");
        Geometries.Should().Contain(g => g.InputHeight != g.InputWidth && g.KernelHeight != g.KernelWidth
            && g.StrideHeight != g.StrideWidth && g.DilationHeight != g.DilationWidth, "everything unequal by axis");
        Geometries.Should().Contain(g => g.StrideHeight > 1 && g.StrideWidth > 1 && g.DilationHeight > 1 && g.DilationWidth > 1
            && g.KernelHeight > 1 && g.KernelWidth > 1, "stride and dilation together");
        Geometries.Should().Contain(g => g.PadTop != g.PadBottom && g.PadLeft != g.PadRight && g.PadTop != g.PadLeft, "asymmetric pads");
        Geometries.Should().Contain(g => g.PadTop > (g.KernelHeight - 1) * g.DilationHeight, "rows of padding alone");
        Geometries.Should().Contain(g => g.PadRight > (g.KernelWidth - 1) * g.DilationWidth, "columns of padding alone");
        Geometries.Should().Contain(g => g.PadTop + g.PadBottom + g.PadLeft + g.PadRight == 0 && g.KernelHeight > 1, "valid");
        Geometries.Should().Contain(g => g.IsPointwise, "pointwise");
    }

    [Fact]
    public void Convolutions_Drawn_CoverChannelsGroupsAndBatches()
    {
        Convolutions.Value.Select(c => c.InputChannels / c.Groups).Distinct().Should().Contain([1, 3, 4, 5, 8, 9, 16, 17, 31, 33, 64, 65]);
        Convolutions.Value.Select(c => c.OutputChannels).Distinct().Should().Contain([1, 3, 4, 5, 8, 9, 16, 17, 31, 33, 64, 65]);
        Convolutions.Value.Select(c => c.Groups).Distinct().Should().Contain([1, 2, 3, 5, 8]);
        Convolutions.Value.Select(c => c.Images).Distinct().Should().BeEquivalentTo([1, 2, 3, 4]);
    }

    [Fact]
    public void DepthwiseConvolutions_Drawn_CoverChannelsAndMultipliers()
    {
        Depthwise.Value.Select(c => c.Channels).Distinct()
            .Should().Contain([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65]);
        Depthwise.Value.Select(c => c.Multiplier).Distinct().Should().Contain([1, 2, 3, 4, 8, 17]);
        Depthwise.Value.Select(c => c.AsConvolution)
            .Should().OnlyContain(c => c.Groups == c.InputChannels && c.OutputChannels % c.Groups == 0);
    }

    [Fact]
    public void Shrinker_OfACase_GivesSmallerValidCases()
    {
        Arbitrary<ConvolutionCase> convolutions = GeometryGenerators.Convolutions();
        foreach (ConvolutionCase sizes in Convolutions.Value.Take(50))
        {
            foreach (ConvolutionCase smaller in convolutions.Shrinker(sizes))
            {
                (smaller.InputLength + smaller.OutputLength).Should().BeLessThan(sizes.InputLength + sizes.OutputLength);
                (smaller.InputChannels % smaller.Groups).Should().Be(0);
                (smaller.OutputChannels % smaller.Groups).Should().Be(0);
            }
        }
    }

    private static T[] Draw<T>(Arbitrary<T> arbitrary) => [.. arbitrary.Generator.Sample(2000, new Rnd(1), 50)];
}
