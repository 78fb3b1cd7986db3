using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Large images that training carries through a stage in bands of rows: which stages do, and that it is the same step.</summary>
public sealed class BandTests
{
    private const int Batch = 5;

    /// <summary>So that small images are cut, each row a band where rows are long.</summary>
    private static readonly BandLimits Small = new(Image: 0, Band: 1024, Weights: long.MaxValue);

    /// <summary>Rows enough for what taps see beside a band.</summary>
    internal static readonly BandLimits Windowed = Small with { Band = 4096 };

    /// <summary>112x112x16 is 784 KB an image, eight rows of 112x112x32 are 115 KB: the stages of depthwise and pointwise convolutions, forward and backward, are cut.</summary>
    [Fact]
    public void Plan_StagesOfLargeImages_AreCut()
    {
        string[] lines = Cut(Plan(Separable(112, 112, 16, 32)));
        lines.Should().Equal(
            "stage 1, 14 bands an image: batch_normalization#1[ReLU] depthwise_conv2d batch_normalization_1[ReLU]",
            "stage 2, 14 bands an image: batch_normalization_1#1[ReLU] pointwise_conv2d batch_normalization_2",
            "stage 3, 14 bands an image: batch_normalization_2#1 depthwise_conv2d_1 batch_normalization_3",
            "stage 6, 14 bands an image: batch_normalization_2'#1 (batch_normalization_1#1[ReLU]) pointwise_conv2d' batch_normalization_1'[ReLU]",
            "stage 7, 14 bands an image: batch_normalization_1'#1[ReLU] (batch_normalization#1[ReLU]) depthwise_conv2d' batch_normalization'[ReLU]");
    }

    [Theory]
    [InlineData(32, 32, 64)] // 256 KB: stays in a second-level cache
    [InlineData(509, 12, 16)] // 390 KB in rows of 768 bytes, whose number nothing divides: nearer to what a band should be than one row
    [InlineData(113, 113, 32, 113, 2)] // 1.6 MB in rows of 14 KB: too few for the taps of a depthwise convolution
    [InlineData(1018, 5, 16, 2, 5)] // two bands of 162 KB, rather than 509
    public void Plan_Images_AreCutWhereThatHelps(int height, int width, int channels, int bands = 1, int stages = 0)
    {
        string[] lines = Cut(Plan(Separable(height, width, channels, channels)));
        lines.Should().HaveCount(stages);
        lines.Count(line => line.Contains($", {bands} bands an image", StringComparison.Ordinal)).Should().Be(stages);
    }

    /// <summary>512 KB of weights would be read again for each band.</summary>
    [Fact]
    public void Plan_LargeWeights_LeaveTheirStageWhole() =>
        Cut(Plan(Separable(28, 28, 256, 512))).Should().NotBeEmpty().And.NotContain(line => line.Contains("pointwise", StringComparison.Ordinal));

    /// <summary>Of 14 bands of 112 rows each has eight: as far as taps may lie from each other.</summary>
    [Theory]
    [InlineData(4, 1, false, true)]
    [InlineData(5, 1, false, false)]
    [InlineData(1, 2, false, true)]
    [InlineData(1, 1, true, false)]
    public void Plan_DepthwiseStage_IsCutWhereTapsReachNoFurtherThanABand(int dilation, int stride, bool isValid, bool isCut)
    {
        Model model = new ModelBuilder(112, 112, 1).Conv2D(32, 3).BatchNormalization().DepthwiseConv2D(3, stride: stride, dilation: dilation, padding: isValid ? Padding.Valid : Padding.Same).BatchNormalization()
            .Conv2D(32, 1).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1);
        Cut(Plan(model)).Count(line => line.Contains("depthwise", StringComparison.Ordinal)).Should().Be(isCut ? 2 : 0);
    }

    /// <summary>A rectifier's mask would have to be ahead of the rows that the taps see.</summary>
    [Fact]
    public void Plan_RectifiedDepthwise_LeavesItsStageWhole() =>
        Cut(Plan(new ModelBuilder(112, 112, 16).BatchNormalization().DepthwiseConv2D(3, activation: Activation.ReLU).PointwiseConv2D(16).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1)))
            .Should().NotContain(line => line.Contains("depthwise", StringComparison.Ordinal));

    /// <summary>A smaller image has the same number of bands, or none: the largest, 110x110x64, has 22, and 22 does not divide 112 rows.</summary>
    [Theory]
    [InlineData(2, 2, 4, 14)]
    [InlineData(3, 1, 3, 22)]
    public void Plan_SeveralSizes_HaveTheBandsOfTheLargest(int pool, int stride, int stages, int bands)
    {
        Model model = new ModelBuilder(112, 112, 1).Conv2D(32, 3).BatchNormalization().Conv2D(32, 1).BatchNormalization().AveragePool2D(pool, stride)
            .BatchNormalization().Conv2D(64, 1).BatchNormalization().DepthwiseConv2D(3).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1);
        Cut(Plan(model)).Should().HaveCount(stages).And.OnlyContain(line => line.Contains($", {bands} bands", StringComparison.Ordinal));
    }

    /// <summary>A convolution and the max-pooling behind it run as one, with bands of their own.</summary>
    [Fact]
    public void Plan_PooledConvolution_IsNotCut()
    {
        Model model = new ModelBuilder(112, 112, 16).BatchNormalization().Conv2D(16, 1, activation: Activation.ReLU).MaxPool2D(2).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1);
        string plan = Plan(model);
        plan.Should().Contain("conv2d[ReLU]+max_pool2d");
        Cut(plan).Should().NotContain(line => line.Contains("conv2d", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_ForPredictions_IsNotCut() => Separable(112, 112, 16, 32).Plan().ToString().Should().NotContain("bands an image");

    /// <summary>Sums are in another order, and nothing else: gradients, running statistics.</summary>
    [Theory]
    [InlineData(nameof(Residual), 6, 5)]
    [InlineData(nameof(Residual), 7, 9)]
    [InlineData(nameof(Residual), 12, 4)]
    [InlineData(nameof(Windows), 24, 7)]
    [InlineData(nameof(Windows), 48, 3)]
    [InlineData(nameof(Mixed), 24, 7)]
    [InlineData(nameof(Bottlenecks), 32, 32)]
    [InlineData(nameof(Branches), 24, 7)]
    [InlineData("Frozen", 24, 7)]
    [InlineData("Spatial", 12, 4)]
    public void Steps_InBands_DoWhatWholeImagesDo(string network, int height, int width)
    {
        Model model = Build(network, height, width);
        float[] whole = Train(model, BandLimits.None, threads: 1, SimdLevels.Default), bands = Train(model, Limits(network), threads: 1, SimdLevels.Default);
        bands.Should().NotEqual(whole, "sums are cut elsewhere");
        float largest = whole.Max(Math.Abs);
        for (int i = 0; i < whole.Length; i++)
            bands[i].Should().BeApproximately(whole[i], 2e-5f * largest, "value {0}", i);
    }

    [Fact]
    public void Plan_OfWindows_CutsAllOfTheirStages()
    {
        Model model = Windows(24, 7);
        string[] lines = Cut(new Plan(model.Graph, model.Store, PlanKind.Training, Batch, workers: 1, SimdLevels.Default, Loss.SoftmaxCrossEntropy(), bands: Windowed).ToString());
        foreach (string name in model.Nodes.Where(node => node.Layer is DepthwiseConv2D).Select(node => node.Name).SkipLast(1))
            lines.Count(line => line.Contains($" {name} ", StringComparison.Ordinal) || line.Contains($" {name}' ", StringComparison.Ordinal)).Should().Be(2, name);
    }

    [Theory]
    [InlineData(nameof(Residual))]
    [InlineData(nameof(Windows))]
    [InlineData(nameof(Mixed))]
    [InlineData(nameof(Bottlenecks))]
    [InlineData(nameof(Branches))]
    [InlineData("Frozen")]
    [InlineData("Spatial")]
    public void Steps_InBands_GiveTheSameBitsForAnyThreadsAndWidth(string network)
    {
        Model model = Build(network, network == nameof(Bottlenecks) ? 32 : 24, network == nameof(Bottlenecks) ? 32 : 7);
        BandLimits limits = Limits(network);
        float[] expected = Train(model, limits, threads: 1, SimdLevels.Supported.Last());
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (SimdLevel level in SimdLevels.Callable.Where(level => SimdLevels.HasFusedMultiplyAdd || level == SimdLevels.Supported.Last()))
            Train(model, limits, threads: 3, level).Should().Equal(expected, level.ToString());
    }

    /// <summary>Stages that are cut and stages that are not, a sum that two layers read, an activation of its own, a bias, a gradient that is added to another.</summary>
    internal static Model Residual(int height, int width)
    {
        ModelBuilder builder = new ModelBuilder(height, width, 3).Conv2D(8, 3).BatchNormalization().ReLU();
        Node start = builder.Current;
        builder.Conv2D(24, 1, useBias: false).BatchNormalization().Activate(Activation.ReLU6).PointwiseConv2D(8, activation: Activation.ReLU).BatchNormalization().Add(start);
        Node sum = builder.Current;
        builder.Conv2D(16, 1).Activate(Activation.SiLU).BatchNormalization().DepthwiseConv2D(3).BatchNormalization().Conv2D(8, 1).BatchNormalization().Add(sum);
        return builder.BatchNormalization().GlobalAveragePool2D().Dense(4).Build(seed: 6);
    }

    /// <summary>Depthwise convolutions of several sizes, strides and dilations, with biases, with a convolution right behind, which reads what they write, one after the other, and behind a sum.</summary>
    internal static Model Windows(int height, int width)
    {
        ModelBuilder builder = new ModelBuilder(height, width, 2).Conv2D(20, 3).BatchNormalization().ReLU().DepthwiseConv2D(3, dilation: 2).BatchNormalization();
        Node start = builder.Current;
        builder.DepthwiseConv2D(5).PointwiseConv2D(20).DepthwiseConv2D(3).DepthwiseConv2D(3).BatchNormalization().Add(start);
        return builder.DepthwiseConv2D(3, stride: 2).BatchNormalization().PointwiseConv2D(16).BatchNormalization().DepthwiseConv2D(3).BatchNormalization().GlobalAveragePool2D().Dense(4).Build(seed: 7);
    }

    /// <summary>What bands have no part in: a depthwise convolution whose rows are no part of its input's, one tap with padding, a convolution with its pooling, and a dense layer for which the images of several chunks come together.</summary>
    private static Model Mixed(int height, int width) => new ModelBuilder(height, width, 2)
        .Conv2D(20, 3).BatchNormalization().ReLU().DepthwiseConv2D(5, padding: Padding.Valid).BatchNormalization()
        .Conv2D(20, 1, padding: Padding.Explicit(2, 2, 1, 1)).Conv2D(8, 1, activation: Activation.ReLU).MaxPool2D(2)
        .BatchNormalization().Conv2D(8, 1).BatchNormalization().Activate(Activation.Tanh).Conv2D(8, 1).Flatten().Dense(400).Dense(4).Build(seed: 14);

    /// <summary>Inverted residuals: gradients of many channels follow values of few, which followed values of many. From 32x32 on images lie apart.</summary>
    internal static Model Bottlenecks(int height, int width)
    {
        ModelBuilder builder = new ModelBuilder(height, width, 2).Conv2D(16, 3).BatchNormalization().ReLU().Conv2D(4, 1).BatchNormalization();
        Node start = builder.Current;
        builder.Conv2D(16, 1).BatchNormalization().ReLU().DepthwiseConv2D(3).BatchNormalization().ReLU().Conv2D(4, 1).BatchNormalization().Add(start);
        return builder.Conv2D(16, 1).BatchNormalization().ReLU().GlobalAveragePool2D().Dense(4).Build(seed: 9);
    }

    /// <summary>What goes around a depthwise convolution waits for it: without a normalization between, in one stage.</summary>
    internal static Model Branches(int height, int width)
    {
        ModelBuilder builder = new ModelBuilder(height, width, 2).Conv2D(20, 3).BatchNormalization().ReLU();
        Node start = builder.Current;
        builder.Conv2D(20, 1);
        Node left = builder.Current;
        builder.From(start).DepthwiseConv2D(3).Add(left).BatchNormalization().ReLU();
        Node sum = builder.Current;
        return builder.PointwiseConv2D(20).DepthwiseConv2D(3).Add(sum).BatchNormalization().GlobalAveragePool2D().Dense(4).Build(seed: 10);
    }

    /// <summary>Every second layer with parameters frozen: normalizations by running statistics, convolutions without a gradient of their own.</summary>
    private static Model Frozen(Model model)
    {
        model.Freeze([.. model.Nodes.Where(model.Store.HasParameters).Select(node => node.Name).Where((_, number) => number % 2 == 1)]);
        return model;
    }

    private static Model Build(string network, int height, int width) => network switch
    {
        nameof(Residual) => Residual(height, width),
        nameof(Windows) => Windows(height, width),
        nameof(Mixed) => Mixed(height, width),
        nameof(Bottlenecks) => Bottlenecks(height, width),
        nameof(Branches) => Branches(height, width),
        "Frozen" => Frozen(Windows(height, width)),
        _ => new ModelBuilder(height, width, 2).Conv2D(8, 3).BatchNormalization().Conv2D(8, 1).BatchNormalization().Conv2D(1, 1).Build(seed: 11),
    };

    private static BandLimits Limits(string network) => network is nameof(Residual) or "Spatial" ? Small : network == nameof(Bottlenecks) ? Windowed with { Band = 16 * 1024 } : Windowed;

    private static float[] Train(Model model, BandLimits bands, int threads, SimdLevel level)
    {
        var plan = new Plan(model.Graph, model.Store, PlanKind.Training, Batch, threads, level, Loss.SoftmaxCrossEntropy(), bands: bands);
        plan.ToString().Contains(" bands an image", StringComparison.Ordinal).Should().Be(bands != BandLimits.None);
        return PlannedSteps.Run(model, Batch, threads, level, bands);
    }

    private static Model Separable(int height, int width, int channels, int filters) => new ModelBuilder(height, width, 1)
        .Conv2D(channels, 3).BatchNormalization().ReLU().DepthwiseConv2D(3).BatchNormalization().ReLU().PointwiseConv2D(filters).BatchNormalization()
        .DepthwiseConv2D(3).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1);

    private static string Plan(Model model) => model.Plan(Loss.SoftmaxCrossEntropy(), 4).ToString();

    private static string[] Cut(string plan) => [.. plan.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Contains(" bands an image", StringComparison.Ordinal))];
}
