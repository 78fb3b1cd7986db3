using FluentAssertions;
using FsCheck.Xunit;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

public sealed class ConvolutionAlgorithmTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "conv", MemberType = typeof(GoldenCases))]
    public void Dense_Golden_Matches(string name, SimdLevel level)
    {
        GoldenCase golden = GoldenCases.Load(name);
        float[]? bias = golden.Find("b");
        Match(golden, ConvolutionRunner.Dense(level, golden.Convolution, golden["x"], golden["w"], bias, golden["dy"]));
    }

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "depthwise", MemberType = typeof(GoldenCases))]
    public void Depthwise_Golden_Matches(string name, SimdLevel level)
    {
        GoldenCase golden = GoldenCases.Load(name);
        float[]? bias = golden.Find("b");
        ConvolutionCase c = golden.Convolution;
        var depthwise = new DepthwiseCase(c.Images, c.Geometry, c.InputChannels, c.OutputChannels / c.InputChannels);
        Match(golden, ConvolutionRunner.Depthwise(level, depthwise, golden["x"], golden["w"], bias, golden["dy"]));
    }

    [Property(MaxTest = 150, Arbitrary = [typeof(GeometryGenerators)])]
    public void Dense_Integers_EqualTheOracleAtEveryLevel(ConvolutionCase c, Guard guard) =>
        EqualTheOracle(c, (level, x, w, b, dy) => ConvolutionRunner.Dense(level, c, x, w, b, dy, guard));

    [Property(MaxTest = 150, Arbitrary = [typeof(GeometryGenerators)])]
    public void Depthwise_Integers_EqualTheOracleAtEveryLevel(DepthwiseCase c, Guard guard) =>
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, guard));

    [Property(MaxTest = 40, Arbitrary = [typeof(GeometryGenerators)])]
    public void Dense_RealValues_GiveTheSameBitsAtEveryLevel(ConvolutionCase c) =>
        SameBits(c, (level, x, w, b, dy) => ConvolutionRunner.Dense(level, c, x, w, b, dy));

    [Property(MaxTest = 40, Arbitrary = [typeof(GeometryGenerators)])]
    public void Depthwise_RealValues_GiveTheSameBitsAtEveryLevel(DepthwiseCase c) =>
        SameBits(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy));

    /// <summary>Larger than the blocks that a weight gradient falls into, packed or in place, at every level.</summary>
    [Theory]
    [MemberData(nameof(CasesOfSeveralBlocks))]
    public void Dense_SeveralBlocks_EqualTheOracleAtEveryLevel(string _, ConvolutionCase c) =>
        EqualTheOracle(c, (level, x, w, b, dy) => ConvolutionRunner.Dense(level, c, x, w, b, dy));

    /// <summary>Few pixels and many channels, whose numbers end inside a vector, a block or a share, at every level.</summary>
    [Theory]
    [MemberData(nameof(CasesOfFewPixels))]
    public void Dense_FewPixels_EqualTheOracleAtEveryLevel(string _, ConvolutionCase c)
    {
        EqualTheOracle(c, (level, x, w, b, dy) => ConvolutionRunner.Dense(level, c, x, w, b, dy));
        SameBits(c, (level, x, w, b, dy) => ConvolutionRunner.Dense(level, c, x, w, b, dy, Guard.Before));
    }

    /// <summary>Pixels a multiple of 2 KB apart, in one band of rows and in several, at every level: what a processor gains by copies of groups of channels must not decide on bits.</summary>
    [Theory]
    [MemberData(nameof(CasesOfDistantPixels))]
    public void Depthwise_DistantPixels_EqualTheOracleAtEveryLevel(string _, DepthwiseCase c)
    {
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, copiesGroups: true));
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, copiesGroups: false));
        SameBits(
            c.AsConvolution,
            (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, Guard.Before, copiesGroups: true),
            (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, Guard.Before, copiesGroups: false));
    }

    /// <summary>Whole vectors of channels, whose lines 32 registers compute two at a time, at every level: odd numbers of lines, edges on either side, tiles of every width.</summary>
    [Theory]
    [MemberData(nameof(CasesOfPairedLines))]
    public void Depthwise_PairedLines_EqualTheOracleAtEveryLevel(string _, DepthwiseCase c)
    {
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy));
        SameBits(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, Guard.Before));
    }

    public static TheoryData<string, DepthwiseCase> CasesOfPairedLines => new()
    {
        { "even", new(2, new(6, 7, 3, 1, 1, Padding.Same), 32, 1) },
        { "odd", new(2, new(5, 10, 3, 1, 1, Padding.Same), 48, 1) },
        { "two_lines", new(1, new(2, 16, 3, 1, 1, Padding.Same), 16, 1) },
        { "three_lines", new(1, new(3, 3, 3, 1, 1, Padding.Same), 16, 1) },
        { "one_line", new(1, new(1, 5, 3, 1, 1, Padding.Same), 16, 1) },
        { "one_column", new(1, new(8, 1, 3, 1, 1, Padding.Same), 32, 1) },
        { "dilation", new(2, new(14, 14, 3, 1, 2, Padding.Same), 32, 1) },
        { "dilation_odd", new(1, new(10, 19, 3, 1, 2, Padding.Same), 16, 1) },
        { "dilation_by_axis", new(1, new(11, 13, 3, 1, new(3, 2), Padding.Same), 16, 1) },
        { "dilation_wider_than_the_image", new(1, new(4, 6, 3, 1, 5, Padding.Same), 16, 1) },
        { "without_padding", new(1, new(9, 16, 3, 1, 1, Padding.Valid), 32, 1) },
        { "edges_before", new(1, new(8, 9, 3, 1, 1, Padding.Explicit(1, 0, 1, 0)), 16, 1) },
        { "edges_after", new(1, new(9, 8, 3, 1, 1, Padding.Explicit(0, 1, 0, 1)), 16, 1) },
        { "rows_without_taps", new(1, new(7, 6, 3, 1, 1, Padding.Explicit(5, 4, 1, 1)), 16, 1) },
        { "wide_window_stride", new(1, new(6, 16, new(3, 6), new(1, 2), 1, Padding.Same), 16, 1) },
        { "wide_window_one_column", new(1, new(6, 1, new(3, 5), new(1, 2), 1, Padding.Same), 16, 1) },
        { "stride_across", new(1, new(9, 12, 3, new(2, 1), 1, Padding.Same), 16, 1) },
        { "stride_along", new(1, new(8, 15, 3, new(1, 2), 1, Padding.Same), 16, 1) },
        { "several_blocks", new(1, new(61, 67, 3, 1, 1, Padding.Same), 64, 1) },
        { "several_blocks_dilation", new(1, new(70, 60, 3, 1, 2, Padding.Same), 64, 1) },
    };

    /// <summary>Whole vectors of channels, two source cells apart from output to output, at every level: edges on either side, tiles of every width, taps that other kernels have.</summary>
    [Theory]
    [MemberData(nameof(CasesOfStridedOutputs))]
    public void Depthwise_StridedOutputs_EqualTheOracleAtEveryLevel(string _, DepthwiseCase c)
    {
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy));
        SameBits(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, Guard.Before));
    }

    /// <summary>So much memory that both gradients go line by line, what comes next is asked for and results pass the caches, at every level.</summary>
    [Theory]
    [MemberData(nameof(CasesFromMemory))]
    public void Depthwise_FromMemory_EqualTheOracleAtEveryLevel(string _, DepthwiseCase c) =>
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy));

    /// <summary>Weight gradients of three taps, in strips as wide as 28 outputs, by one vector of channels and by several, at every level: what a level takes at once must not decide on bits.</summary>
    [Theory]
    [MemberData(nameof(CasesOfThreeTaps))]
    public void Depthwise_ThreeTaps_EqualTheOracleAtEveryLevel(string _, DepthwiseCase c)
    {
        EqualTheOracle(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy));
        SameBits(c.AsConvolution, (level, x, w, b, dy) => ConvolutionRunner.Depthwise(level, c, x, w, b, dy, Guard.Before));
    }

    public static TheoryData<string, DepthwiseCase> CasesOfThreeTaps => new()
    {
        { "one_output", new(1, new(5, 1, 3, 1, 1, Padding.Same), 32, 1) },
        { "two_outputs", new(2, new(5, 2, 3, 1, 1, Padding.Same), 32, 1) },
        { "three_outputs", new(1, new(5, 3, 3, 1, 1, Padding.Same), 32, 1) },
        { "four_outputs", new(1, new(4, 4, 3, 1, 1, Padding.Same), 32, 1) },
        { "strip", new(2, new(9, 28, 3, 1, 1, Padding.Same), 32, 1) },
        { "strip_and_one", new(1, new(9, 29, 3, 1, 1, Padding.Same), 64, 1) },
        { "three_strips", new(1, new(12, 80, 3, 1, 1, Padding.Same), 48, 1) },
        { "narrow_strips", new(1, new(9, 40, 3, 1, 1, Padding.Same), 96, 1) },
        { "one_vector", new(1, new(8, 20, 3, 1, 1, Padding.Same), 16, 1) },
        { "vector_and_lanes", new(1, new(8, 21, 3, 1, 1, Padding.Same), 19, 1) },
        { "several_vectors_one_and_lanes", new(2, new(10, 25, 3, 1, 1, Padding.Same), 53, 1) },
        { "dilation", new(2, new(15, 58, 3, 1, 2, Padding.Same), 40, 1) },
        { "dilation_leaves_one_output", new(1, new(9, 3, 3, 1, 2, Padding.Same), 32, 1) },
        { "without_padding", new(1, new(9, 30, 3, 1, 1, Padding.Valid), 32, 1) },
        { "padding_before", new(1, new(7, 31, 3, 1, 1, Padding.Explicit(2, 0, 2, 0)), 32, 1) },
        { "padding_behind", new(1, new(7, 31, 3, 1, 1, Padding.Explicit(0, 2, 0, 2)), 32, 1) },
        { "wide_padding", new(1, new(7, 20, 3, 1, 1, Padding.Explicit(3, 3, 3, 3)), 32, 1) },
        { "one_row", new(2, new(1, 30, 3, 1, 1, Padding.Same), 32, 1) },
        { "one_tap_across", new(1, new(6, 30, new(1, 3), 1, 1, Padding.Same), 32, 1) },
        { "five_taps_across", new(1, new(11, 30, new(5, 3), 1, 1, Padding.Same), 48, 1) },
        { "stride_and_dilation_alike", new(1, new(21, 61, 3, 2, 2, Padding.Same), 32, 1) },
        { "several_blocks", new(2, new(75, 61, 3, 1, 1, Padding.Same), 64, 1) },
    };

    public static TheoryData<string, DepthwiseCase> CasesOfStridedOutputs => new()
    {
        { "even", new(2, new(8, 14, 3, 2, 1, Padding.Same), 32, 1) },
        { "odd", new(2, new(9, 15, 3, 2, 1, Padding.Same), 48, 1) },
        { "edges_before", new(1, new(8, 12, 3, 2, 1, Padding.Explicit(1, 0, 1, 0)), 16, 1) },
        { "edges_after", new(1, new(10, 10, 3, 2, 1, Padding.Explicit(0, 1, 0, 1)), 16, 1) },
        { "without_padding", new(1, new(9, 31, 3, 2, 1, Padding.Valid), 32, 1) },
        { "three_tiles", new(1, new(3, 35, 3, 2, 1, Padding.Same), 16, 1) },
        { "two_columns", new(1, new(6, 2, 3, 2, 1, Padding.Same), 16, 1) },
        { "one_column", new(1, new(6, 1, 3, 2, 1, Padding.Same), 16, 1) },
        { "four_columns", new(1, new(4, 4, 3, 2, 1, Padding.Explicit(1, 1, 1, 1)), 32, 1) },
        { "wide_edges", new(1, new(7, 12, 3, 2, 1, Padding.Explicit(2, 2, 2, 2)), 16, 1) },
        { "middle_tap_outside", new(1, new(11, 11, 3, 2, 1, Padding.Explicit(0, 2, 0, 2)), 16, 1) },
        { "dilation", new(1, new(13, 20, 3, 2, 3, Padding.Same), 16, 1) },
        { "dilation_and_stride_share_a_factor", new(1, new(17, 26, 3, 4, 2, Padding.Same), 16, 1) },
        { "four_taps_stride_three", new(1, new(9, 17, 4, 3, 1, Padding.Explicit(1, 0, 1, 2)), 16, 1) },
        { "five_taps", new(1, new(9, 16, 5, 2, 1, Padding.Same), 16, 1) },
        { "tall_window", new(1, new(12, 16, new(5, 3), 2, 1, Padding.Same), 32, 1) },
        { "seven_vectors", new(2, new(7, 13, 3, 2, 1, Padding.Same), 112, 1) },
        { "nine_vectors_without_padding", new(1, new(6, 9, 3, 2, 1, Padding.Valid), 144, 1) },
        { "outputs_without_taps", new(1, new(7, 6, 3, 2, 1, Padding.Explicit(5, 4, 6, 5)), 64, 1) },
        { "one_tap", new(2, new(5, 7, 1, 1, 1, Padding.Valid), 64, 1) },
        { "two_taps", new(1, new(6, 8, 2, 2, 1, Padding.Same), 80, 1) },
        { "five_taps_stride_three", new(1, new(11, 20, 5, 3, 1, Padding.Same), 64, 1) },
        { "eight_taps_in_parts", new(1, new(9, 21, new(1, 8), new(2, 1), 1, Padding.Same), 48, 1) },
        { "nine_taps_in_parts", new(1, new(9, 21, new(1, 9), new(2, 1), 1, Padding.Same), 48, 1) },
        { "eight_taps_stride_four", new(1, new(14, 29, 8, 4, 1, Padding.Explicit(2, 3, 3, 2)), 64, 1) },
    };

    public static TheoryData<string, DepthwiseCase> CasesFromMemory => new()
    {
        { "several_images", new(3, new(45, 42, 3, 1, 1, Padding.Same), 96, 1) },
        { "dilation", new(2, new(60, 55, 3, 1, 2, Padding.Same), 96, 1) },
        { "rows_without_taps", new(1, new(90, 85, 3, 1, 1, Padding.Explicit(3, 2, 1, 1)), 80, 1) },
        { "channels_end_inside_a_vector", new(2, new(60, 50, 3, 1, 1, Padding.Same), 100, 1) },
        { "stride", new(2, new(83, 84, 3, 2, 1, Padding.Same), 80, 1) },
        { "past_the_caches", new(2, new(84, 88, 3, 1, 2, Padding.Same), 144, 1) },
        { "stride_past_the_caches", new(2, new(114, 112, 3, 2, 1, Padding.Same), 336, 1) },
        { "five_taps_stride_past_the_caches", new(2, new(114, 112, 5, 2, 1, Padding.Same), 336, 1) },
    };

    public static TheoryData<string, DepthwiseCase> CasesOfDistantPixels => new()
    {
        { "two_images", new(2, new(7, 7, 3, 1, 1, Padding.Same), 1024, 1) },
        { "dilation", new(1, new(14, 13, 3, 1, 2, Padding.Same), 512, 1) },
        { "from_memory", new(3, new(29, 30, 3, 1, 1, Padding.Same), 512, 1) },
        { "several_bands", new(1, new(29, 23, 3, 1, 1, Padding.Same), 512, 1) },
        { "several_bands_dilation", new(1, new(37, 20, 3, 1, 3, Padding.Same), 512, 1) },
        { "bands_across_bands", new(1, new(12, 24, 3, 1, 1, Padding.Same), 512, 1) },
        { "stride", new(2, new(27, 22, 3, 2, 1, Padding.Same), 512, 1) },
        { "stride_dilation", new(1, new(25, 24, 5, new(3, 2), 2, Padding.Explicit(4, 1, 0, 3)), 512, 1) },
        { "rows_without_taps", new(1, new(5, 6, 3, 1, 1, Padding.Explicit(4, 5, 3, 0)), 512, 1) },
        { "wide", new(1, new(5, 150, 3, 1, 1, Padding.Same), 512, 1) },
        { "wider_than_a_copy", new(1, new(4, 400, 3, 1, 1, Padding.Same), 512, 1) },
        { "one_row", new(1, new(1, 9, new(1, 3), 1, 1, Padding.Same), 1536, 1) },
    };

    public static TheoryData<string, ConvolutionCase> CasesOfFewPixels => new()
    {
        { "pointwise", new(1, new(7, 7, 1, 1, 1, Padding.Valid), 130, 163, 1) },
        { "pointwise_blocks_end_evenly", new(1, new(5, 3, 1, 1, 1, Padding.Valid), 96, 192, 1) },
        { "one_pixel", new(1, new(1, 1, 1, 1, 1, Padding.Valid), 117, 101, 1) },
        { "pointwise_stride_two_images", new(2, new(5, 4, 1, 2, 1, Padding.Valid), 67, 83, 1) },
        { "pointwise_groups", new(2, new(3, 3, 1, 1, 1, Padding.Valid), 111, 147, 3) },
        { "pointwise_huge_weights", new(2, new(5, 7, 1, 1, 1, Padding.Valid), 520, 530, 1) },
        { "pointwise_huge_weights_padding", new(1, new(5, 4, 1, 1, 1, Padding.Explicit(1, 1, 1, 1)), 520, 530, 1) },
        { "pointwise_huge_weights_stride", new(1, new(5, 4, 1, 2, 1, Padding.Valid), 530, 520, 1) },
        { "taps", new(1, new(4, 5, 3, 1, 1, Padding.Same), 41, 97, 1) },
        { "taps_groups_dilation", new(2, new(5, 5, new(3, 2), 1, 2, Padding.Same), 38, 94, 2) },
        { "taps_stride", new(1, new(6, 5, 3, new(2, 1), 1, Padding.Explicit(0, 1, 2, 0)), 53, 71, 1) },
    };

    public static TheoryData<string, ConvolutionCase> CasesOfSeveralBlocks => new()
    {
        { "packed", new(1, new(64, 50, 5, 1, 1, Padding.Same), 16, 17, 1) },
        { "packed_dilation", new(2, new(33, 31, 3, 1, new(3, 2), Padding.Same), 32, 33, 1) },
        { "packed_wide", new(1, new(17, 20, 3, 1, 1, Padding.Same), 32, 61, 1) },
        { "packed_wider", new(1, new(14, 19, 3, 1, 1, Padding.Same), 29, 80, 1) },
        { "packed_stride", new(1, new(59, 61, 7, 2, 1, Padding.Explicit(5, 0, 1, 4)), 25, 24, 1) },
        { "packed_groups", new(1, new(30, 29, 5, 1, 1, Padding.Valid), 32, 34, 2) },
        { "packed_pointwise_over_images", new(3, new(25, 20, 1, 1, 1, Padding.Valid), 128, 100, 1) },
        { "pointwise_over_images", new(3, new(13, 11, 1, 1, 1, Padding.Valid), 64, 70, 1) },
        { "folded_bands", new(2, new(40, 31, 3, 1, 2, Padding.Same), 1, 17, 1) },
        { "folded_bands_of_channels", new(1, new(61, 33, 5, new(2, 1), new(1, 3), Padding.Explicit(1, 3, 9, 4)), 3, 16, 1) },
        { "in_place", new(2, new(21, 23, 3, 1, 2, Padding.Same), 9, 20, 1) },
    };

    private static void EqualTheOracle(ConvolutionCase c, Func<SimdLevel, float[], float[], float[], float[], ConvolutionRunner.Result> run)
    {
        float[] x = TestData.Integers(c.InputLength, 1), w = TestData.Integers(c.WeightsLength, 2);
        float[] b = TestData.Integers(c.OutputChannels, 3), dy = TestData.Integers(c.OutputLength, 4);
        float[] y = TestData.ToSingle(ConvolutionOracle.Forward(c, TestData.ToDouble(x), TestData.ToDouble(w), TestData.ToDouble(b)));
        float[] dx = TestData.ToSingle(ConvolutionOracle.BackwardInput(c, TestData.ToDouble(w), TestData.ToDouble(dy)));
        float[] dw = TestData.ToSingle(ConvolutionOracle.BackwardWeights(c, TestData.ToDouble(x), TestData.ToDouble(dy)));
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            ConvolutionRunner.Result result = run(level, x, w, b, dy);
            Equal(result.Y, y, level, "y");
            Equal(result.Dx, dx, level, "dx");
            Equal(result.Dw, dw, level, "dw");
        }
    }

    private static void SameBits(ConvolutionCase c, params Func<SimdLevel, float[], float[], float[], float[], ConvolutionRunner.Result>[] runs)
    {
        float[] x = TestData.Uniform(c.InputLength, 1), w = TestData.Uniform(c.WeightsLength, 2);
        float[] b = TestData.Uniform(c.OutputChannels, 3), dy = TestData.Uniform(c.OutputLength, 4);
        ConvolutionRunner.Result first = runs[0](SimdLevel.Scalar, x, w, b, dy);
        foreach (Func<SimdLevel, float[], float[], float[], float[], ConvolutionRunner.Result> run in runs)
        {
            foreach (SimdLevel level in SimdLevels.Callable)
            {
                ConvolutionRunner.Result result = run(level, x, w, b, dy);
                Equal(result.Y, first.Y, level, "y");
                Equal(result.Dx, first.Dx, level, "dx");
                Equal(result.Dw, first.Dw, level, "dw");
                Equal(result.DwOfBands, first.DwOfBands, level, "dw of bands");
            }
        }
    }

    private static void Equal(float[] actual, float[] expected, SimdLevel level, string what)
    {
        int same = actual.AsSpan().CommonPrefixLength(expected);
        same.Should().Be(expected.Length, "{0} at {1} should equal in every value, but value {2} is {3} instead of {4}",
            what, level, same, same < actual.Length ? actual[same] : 0, same < expected.Length ? expected[same] : 0);
    }

    private static void Match(GoldenCase golden, ConvolutionRunner.Result result)
    {
        golden.ShouldMatch(result.Y, "y");
        golden.ShouldMatch(result.Dx, "dx");
        golden.ShouldMatch(result.Dw, "dw");
    }
}
