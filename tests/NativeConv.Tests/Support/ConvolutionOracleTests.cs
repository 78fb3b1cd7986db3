using FluentAssertions;
using FsCheck.Xunit;
using Xunit;

namespace NativeConv.Tests.Support;

public sealed class ConvolutionOracleTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.Of), "conv", MemberType = typeof(GoldenCases))]
    [MemberData(nameof(GoldenCases.Of), "depthwise", MemberType = typeof(GoldenCases))]
    public void Oracle_GoldenCase_MatchesForwardAndEveryGradient(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        ConvolutionCase sizes = golden.Convolution;
        double[] x = TestData.ToDouble(golden["x"]), w = TestData.ToDouble(golden["w"]), dy = TestData.ToDouble(golden["dy"]);
        double[]? b = golden.Has("b") ? TestData.ToDouble(golden["b"]) : null;

        golden.ShouldMatch(ConvolutionOracle.Forward(sizes, x, w, b), "y");
        golden.ShouldMatch(ConvolutionOracle.BackwardInput(sizes, w, dy), "dx");
        golden.ShouldMatch(ConvolutionOracle.BackwardWeights(sizes, x, dy), "dw");
        if (b is not null)
            golden.ShouldMatch(ConvolutionOracle.BackwardBias(b.Length, dy), "db");
    }

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "conv", MemberType = typeof(GoldenCases))]
    [MemberData(nameof(GoldenCases.Of), "depthwise", MemberType = typeof(GoldenCases))]
    public void Geometry_GoldenCase_DerivesThePadsAndTheOutput(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        Conv2DGeometry geometry = golden.Geometry;
        golden.Ints("pad_top_bottom_left_right").Should().Equal(geometry.PadTop, geometry.PadBottom, geometry.PadLeft, geometry.PadRight);
        golden.Shape("y")[1..3].Should().Equal(geometry.OutputHeight, geometry.OutputWidth);
    }

    [Property(MaxTest = 60, Arbitrary = [typeof(GeometryGenerators)])]
    public void Oracle_WholeNumbers_IsItsOwnAdjoint(ConvolutionCase sizes)
    {
        double[] x = Integers(sizes.InputLength, 1), w = Integers(sizes.WeightsLength, 2), dy = Integers(sizes.OutputLength, 3);
        double expected = GradientCheck.Dot(ConvolutionOracle.Forward(sizes, x, w), dy);
        GradientCheck.Dot(x, ConvolutionOracle.BackwardInput(sizes, w, dy)).Should().Be(expected);
        GradientCheck.Dot(w, ConvolutionOracle.BackwardWeights(sizes, x, dy)).Should().Be(expected);
    }

    /// <summary>A third opinion, straight from the definition: tap by tap with a bounds check.</summary>
    [Property(MaxTest = 60, Arbitrary = [typeof(GeometryGenerators)])]
    public void Forward_WholeNumbers_EqualsTheDefinition(ConvolutionCase sizes)
    {
        Conv2DGeometry g = sizes.Geometry;
        double[] x = Integers(sizes.InputLength, 1), w = Integers(sizes.WeightsLength, 2), b = Integers(sizes.OutputChannels, 3);
        int groupInputs = sizes.InputChannels / sizes.Groups, groupOutputs = sizes.OutputChannels / sizes.Groups;
        double At(int image, int row, int column, int channel) =>
            row >= 0 && row < g.InputHeight && column >= 0 && column < g.InputWidth
                ? x[(((((image * g.InputHeight) + row) * g.InputWidth) + column) * sizes.InputChannels) + channel]
                : 0;

        var expected =
            from image in Enumerable.Range(0, sizes.Images)
            from row in Enumerable.Range(0, g.OutputHeight)
            from column in Enumerable.Range(0, g.OutputWidth)
            from channel in Enumerable.Range(0, sizes.OutputChannels)
            select b[channel] + (
                from kh in Enumerable.Range(0, g.KernelHeight)
                from kw in Enumerable.Range(0, g.KernelWidth)
                from input in Enumerable.Range(0, groupInputs)
                select w[(((((kh * g.KernelWidth) + kw) * groupInputs) + input) * sizes.OutputChannels) + channel]
                    * At(
                        image,
                        (row * g.StrideHeight) + (kh * g.DilationHeight) - g.PadTop,
                        (column * g.StrideWidth) + (kw * g.DilationWidth) - g.PadLeft,
                        (channel / groupOutputs * groupInputs) + input)).Sum();

        ConvolutionOracle.Forward(sizes, x, w, b).SequenceEqual(expected).Should().BeTrue();
    }

    private static double[] Integers(int length, ulong seed) => TestData.ToDouble(TestData.Integers(length, seed));
}
