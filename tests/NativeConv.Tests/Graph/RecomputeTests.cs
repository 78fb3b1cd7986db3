using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Convolutions of few multiply-adds that run again where their output would come from memory: which do, and that it is the same step.</summary>
public sealed class RecomputeTests
{
    private const int Batch = 5;

    /// <summary>So that any image's outputs, of any batch, are worked out again.</summary>
    internal static readonly RecomputeLimits Always = new(long.MaxValue, 0);

    /// <summary>60 KB an image and 7.5 MB a batch. The second convolution has too many multiply-adds, the depthwise one an input that is worked out again itself.</summary>
    [Fact]
    public void Plan_ConvolutionOfOneChannel_RunsInEveryStageThatReadsIt()
    {
        string plan = OneChannel().Plan(Loss.SoftmaxCrossEntropy(), 128).ToString();
        string[] stages = [.. plan.Split('\n').Select(line => line.TrimEnd()).Where(line => line.StartsWith("stage", StringComparison.Ordinal) && !line.Contains("asks", StringComparison.Ordinal))];
        stages.Should().Equal(
            "stage 0: input conv2d batch_normalization[ReLU]",
            "stage 1: (conv2d) batch_normalization#1[ReLU] depthwise_conv2d batch_normalization_1",
            "stage 2: batch_normalization_1#1 conv2d_1 batch_normalization_2",
            "stage 3: batch_normalization_2#1 global_average_pool2d dense loss dense' global_average_pool2d' batch_normalization_2'",
            "stage 4: (global_average_pool2d') batch_normalization_2'#1 (batch_normalization_1#1) conv2d_1' batch_normalization_1'",
            "stage 5: batch_normalization_1'#1 (conv2d) (batch_normalization#1[ReLU]) depthwise_conv2d' batch_normalization'[ReLU]",
            "stage 6: (conv2d) batch_normalization'#1[ReLU] conv2d'");
        plan.Should().Contain("  conv2d: per worker");
    }

    [Theory]
    [InlineData(34, false)] // 2,088,960 bytes a batch: a cache holds them
    [InlineData(35, true)]
    public void Plan_Batch_RunsAgainWhatLeavesTheCaches(int batch, bool runsAgain) => RunsAgain(OneChannel(), batch).Should().Be(runsAgain);

    [Theory]
    [InlineData(60, 60, 1, 18, 3, 1, 9, true)] // 259,200 bytes an image
    [InlineData(60, 61, 1, 18, 3, 1, 9, false)] // 263,520: goes in bands
    [InlineData(30, 30, 1, 16, 3, 2, 256, true)] // a quarter of the pixels, of sixteen channels
    [InlineData(60, 60, 1, 3, 3, 2, 512, false)] // the input is more
    [InlineData(30, 30, 2, 16, 2, 1, 128, true)] // eight multiply-adds a value
    [InlineData(30, 30, 2, 16, 3, 1, 128, false)] // eighteen
    public void Plan_Convolution_RunsAgainWhereThatIsCheap(int height, int width, int channels, int filters, int kernel, int stride, int batch, bool runsAgain) =>
        RunsAgain(new ModelBuilder(height, width, channels).Conv2D(filters, kernel, stride).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1), batch).Should().Be(runsAgain);

    /// <summary>What a frozen convolution reads would be kept for it alone.</summary>
    [Fact]
    public void Plan_FrozenConvolution_IsKept()
    {
        Model model = OneChannel();
        model.Freeze("conv2d");
        RunsAgain(model, 128).Should().BeFalse();
    }

    /// <summary>The activation, or the flattening behind it, that ends the network shares the convolution's buffer, which the caller reads.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Plan_OutputsBuffer_IsKept(bool flattens)
    {
        ModelBuilder builder = new ModelBuilder(6, 5, 1).Conv2D(3, 3, activation: Activation.ReLU);
        Model model = (flattens ? builder.Flatten() : builder).Build(seed: 3);
        string plan = new Plan(model.Graph, model.Store, PlanKind.ByHand, Batch, workers: 1, SimdLevels.Default, loss: null, recompute: Always).ToString();
        plan.Should().NotContain("(conv2d)").And.Contain("  conv2d: whole batch");
    }

    /// <summary>A convolution in front of a pooled normalization: its sums read the winners alone, so that only what gives the input's gradient needs the cells.</summary>
    [Fact]
    public void Plan_PooledNormalization_ReadsCellsForTheGradientAlone()
    {
        Model model = new ModelBuilder(8, 6, 1).Conv2D(4, 3).BatchNormalization().ReLU().MaxPool2D(2).Conv2D(3, 3).BatchNormalization().GlobalAveragePool2D().Dense(2).Build(seed: 3);
        string plan = new Plan(model.Graph, model.Store, PlanKind.Training, Batch, workers: 1, SimdLevels.Default, Loss.SoftmaxCrossEntropy(), recompute: Always).ToString();
        plan.Should().Contain("conv2d_1' max_pool2d'+batch_normalization'[ReLU]").And.Contain("(conv2d) max_pool2d'+batch_normalization'#1[ReLU] conv2d'");
        plan.Split("(conv2d)").Should().HaveCount(2, "it runs again once");
    }

    /// <summary>Bands decide in which order sums are added: no stage may lose them, as those of a convolution with taps would, which reads the rows beside a band.</summary>
    [Fact]
    public void Plan_StagesInBands_StaySo()
    {
        Model model = Banded();
        string kept = Describe(model, BandTests.Windowed, RecomputeLimits.None), again = Describe(model, BandTests.Windowed, Always);
        kept.Split(" bands an image").Should().HaveCountGreaterThan(5);
        again.Split(" bands an image").Should().HaveSameCount(kept.Split(" bands an image"));
        again.Should().NotContain("(conv2d)", "its next stages have bands, and it cannot");
        string[] windows = [.. again.Split('\n').Where(line => line.Contains("(depthwise_conv2d)", StringComparison.Ordinal))];
        windows.Should().NotBeEmpty().And.OnlyContain(line => line.Contains(" bands an image", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("one channel")]
    [InlineData("depthwise")]
    [InlineData("banded")]
    public void Steps_AnyThreadsAndWidth_GiveTheBitsOfOutputsThatAreKept(string network)
    {
        Model model = network == "one channel" ? OneChannel() : network == "banded" ? Banded() : Depthwise();
        BandLimits bands = network == "banded" ? BandTests.Windowed : BandLimits.None;
        float[] expected = Train(model, bands, RecomputeLimits.None, threads: 1, SimdLevels.Supported.Last());
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (SimdLevel level in SimdLevels.Callable.Where(level => SimdLevels.HasFusedMultiplyAdd || level == SimdLevels.Supported.Last()))
        {
            foreach (int threads in (int[])[1, 3])
                Train(model, bands, Always, threads, level).Should().Equal(expected, "{0}, {1} threads", level, threads);
        }
    }

    /// <summary>Sums, products, concatenations, squeezing and poolings that read what runs again.</summary>
    [Fact]
    public void Steps_RandomGraphs_GiveTheBitsOfOutputsThatAreKept()
    {
        int again = 0;
        for (int number = 0; number < 60; number++)
        {
            Model model = RandomGraph.Build(seed: 11, number);
            again += Describe(model, BandLimits.None, Always) == Describe(model, BandLimits.None, RecomputeLimits.None) ? 0 : 1;
            Train(model, BandLimits.None, Always, threads: 2, SimdLevels.Default).Should().Equal(Train(model, BandLimits.None, RecomputeLimits.None, threads: 1, SimdLevels.Default), "graph {0}", number);
        }

        again.Should().BeGreaterThan(5);
    }

    internal static Model OneChannel() => new ModelBuilder(30, 32, 1)
        .Conv2D(16, 3).BatchNormalization().ReLU().DepthwiseConv2D(3).BatchNormalization().Conv2D(8, 2).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(seed: 4);

    /// <summary>Depthwise convolutions of what is kept: the input, a sum, a pooling; rectified, with a multiplier; and one tap.</summary>
    internal static Model Depthwise()
    {
        ModelBuilder builder = new ModelBuilder(12, 6, 2).DepthwiseConv2D(3, depthMultiplier: 4).BatchNormalization();
        Node start = builder.Current;
        builder.Conv2D(8, 1).BatchNormalization().Add(start).DepthwiseConv2D(3, activation: Activation.ReLU).BatchNormalization().Conv2D(8, 1).BatchNormalization();
        return builder.AveragePool2D(2).DepthwiseConv2D(3, dilation: 2).BatchNormalization().PointwiseConv2D(8).BatchNormalization().GlobalAveragePool2D().Dense(4).Build(seed: 5);
    }

    /// <summary>A convolution with taps whose next stages go in bands, and a depthwise one, of a sum, that goes in bands itself.</summary>
    internal static Model Banded()
    {
        ModelBuilder builder = new ModelBuilder(24, 7, 1).Conv2D(20, 3).BatchNormalization().ReLU();
        Node start = builder.Current;
        builder.Conv2D(20, 1).BatchNormalization().Add(start).DepthwiseConv2D(3).BatchNormalization().PointwiseConv2D(20).BatchNormalization().ReLU().DepthwiseConv2D(3).BatchNormalization();
        return builder.PointwiseConv2D(20).BatchNormalization().GlobalAveragePool2D().Dense(4).Build(seed: 6);
    }

    private static string Describe(Model model, BandLimits bands, RecomputeLimits recompute) =>
        new Plan(model.Graph, model.Store, PlanKind.Training, Batch, workers: 1, SimdLevels.Default, Loss.SoftmaxCrossEntropy(), bands: bands, recompute: recompute).ToString();

    private static bool RunsAgain(Model model, int batch) => model.Plan(Loss.SoftmaxCrossEntropy(), batch).ToString().Contains("(conv2d)", StringComparison.Ordinal);

    private static float[] Train(Model model, BandLimits bands, RecomputeLimits recompute, int threads, SimdLevel level) =>
        PlannedSteps.Run(model, Batch, threads, level, bands, recompute);
}
