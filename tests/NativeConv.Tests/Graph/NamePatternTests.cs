using FluentAssertions;
using NativeConv.Graph;
using Xunit;

namespace NativeConv.Tests.Graph;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("conv2d", "conv2d", true)]
    [InlineData("conv2d", "conv2d_1", false)]
    [InlineData("conv2d_1", "conv2d", false)]
    [InlineData("Conv2d", "conv2d", false)]
    [InlineData("conv2d*", "conv2d", true)]
    [InlineData("conv2d*", "conv2d_1", true)]
    [InlineData("*_normalization", "separable_conv2d_depthwise_normalization", true)]
    [InlineData("*_normalization", "normalization", false)]
    [InlineData("block1/*", "block1/conv", true)]
    [InlineData("block1/*", "block10/conv", false)]
    [InlineData("block?/*/scale", "block2/a/b/scale", true)]
    [InlineData("block?/*/scale", "block2/scale", false)]
    [InlineData("*", "dense", true)]
    [InlineData("*a*a*", "banana", true)]
    [InlineData("*ab", "aab", true)]
    [InlineData("*a?a", "banana", true)]
    [InlineData("a**", "a", true)]
    [InlineData("?", "", false)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("a.b", "axb", false)]
    [InlineData("*aab*", "aaaaaaaaab", true)]
    [InlineData("*aabb", "aaaaaaaaab", false)]
    public void Matches_TheWholeName(string pattern, string name, bool expected) => NamePattern.Matches(pattern, name).Should().Be(expected);
}
