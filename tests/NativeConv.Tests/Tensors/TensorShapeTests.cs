using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Tensors;

public sealed class TensorShapeTests
{
    [Theory]
    [InlineData(new int[0], 1, "[]")]
    [InlineData(new[] { 7 }, 7, "[7]")]
    [InlineData(new[] { 3, 3, 1, 64 }, 576, "[3, 3, 1, 64]")]
    [InlineData(new[] { 2, 0, 5 }, 0, "[2, 0, 5]")]
    public void Constructor_Dimensions_AreKept(int[] dimensions, int length, string text)
    {
        var shape = new TensorShape(dimensions);
        shape.Rank.Should().Be(dimensions.Length);
        shape.Length.Should().Be(length);
        shape.ToArray().Should().Equal(dimensions);
        Enumerable.Range(0, shape.Rank).Select(i => shape[i]).Should().Equal(dimensions);
        shape.ToString().Should().Be(text);
    }

    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 5 }, "*at most 4*5 were given*")]
    [InlineData(new[] { 2, -1 }, "*negative*-1*")]
    [InlineData(new[] { 65536, 32768 }, "*at most 2147483647*65536, 32768*")]
    [InlineData(new[] { int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue }, "*at most*")]
    public void Constructor_BadDimensions_Throws(int[] dimensions, string message) =>
        FluentActions.Invoking(() => new TensorShape(dimensions))
            .Should().Throw<ArgumentException>().WithMessage(message).WithParameterName("dimensions");

    [Fact]
    public void Constructor_LargestLength_IsAllowed() => new TensorShape(1, int.MaxValue).Length.Should().Be(int.MaxValue);

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void Indexer_OutsideTheRank_Throws(int dimension) =>
        FluentActions.Invoking(() => new TensorShape(3, 4)[dimension]).Should().Throw<ArgumentOutOfRangeException>();

    [Fact]
    public void Equality_ComparesRankAndDimensions()
    {
        var shape = new TensorShape(2, 3);
        (shape == new TensorShape(2, 3)).Should().BeTrue();
        shape.GetHashCode().Should().Be(new TensorShape(2, 3).GetHashCode());
        shape.Equals((object)new TensorShape(2, 3)).Should().BeTrue();
        (shape != new TensorShape(3, 2)).Should().BeTrue();
        (shape != new TensorShape(2, 3, 1)).Should().BeTrue("a rank of its own makes a shape of its own");
        shape.Equals("[2, 3]").Should().BeFalse();
    }
}
