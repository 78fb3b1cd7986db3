using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Stages that ask for the next images' memory while they compute: which do, and for what.</summary>
public sealed class AskingAheadTests
{
    private const string Asks = "asks ahead";

    /// <summary>What lives for the batch alone, each place once: not what a stage keeps to itself.</summary>
    [Fact]
    public void Plan_PointwiseStages_AskForTheirBuffers()
    {
        string[] asks =
        [
            "stage 1 asks ahead for the next images': depthwise_conv2d, pointwise_conv2d",
            "stage 3 asks ahead for the next images': global_average_pool2d', pointwise_conv2d, depthwise_conv2d",
        ];
        Lines(Plan(Separable(16), batch: 128)).Should().Equal(Prefetch.IsSupported ? asks : []);
    }

    [Fact]
    public void Plan_BatchThatTheCachesHold_AsksForNothing() => Lines(Plan(Separable(16), batch: 8)).Should().BeEmpty();

    [Fact]
    public void Plan_ImagesTooLarge_AsksForNothing() => Lines(Plan(Separable(320), batch: 128)).Should().BeEmpty();

    [Fact]
    public void Plan_NoPointwiseLayer_AsksForNothing() =>
        Lines(Plan(new ModelBuilder(16, 16, 16).Conv2D(16, 3).BatchNormalization().Conv2D(16, 3).BatchNormalization().Flatten().Dense(3).Build(1), batch: 128)).Should().BeEmpty();

    /// <summary>Weights of more than 1 MB ask for themselves.</summary>
    [Fact]
    public void Plan_HugeWeights_AskForNothing() =>
        Lines(Plan(new ModelBuilder(4, 4, 520).DepthwiseConv2D(3).BatchNormalization().PointwiseConv2D(520).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1), batch: 128)).Should().BeEmpty();

    /// <summary>The last step has fewer images than there is room for, so that what comes next is none of its own.</summary>
    [Fact]
    public void Steps_AnyThreadsAndWidth_GiveTheSameWeights()
    {
        float[] expected = Train(SimdLevels.Supported.Last(), threads: 1);
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (SimdLevel level in SimdLevels.Callable.Where(level => SimdLevels.HasFusedMultiplyAdd || level == SimdLevels.Supported.Last()))
            Train(level, threads: 3).Should().Equal(expected, level.ToString());
    }

    private static float[] Train(SimdLevel level, int threads)
    {
        const int Batch = 128;
        Model model = Separable(16);
        model.Execution = new() { Level = level, ThreadCount = threads };
        float[] images = TestData.Uniform(Batch * model.InputShape.Length, 1);
        int[] labels = TestData.Labels(Batch, model.OutputShape.Length, 2);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch, seed: 4);
        foreach (int count in (int[])[Batch, Batch, 37])
            session.Step(images.AsSpan(0, count * model.InputShape.Length), labels.AsSpan(0, count));

        return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
    }

    private static Model Separable(int channels) =>
        new ModelBuilder(16, 16, channels).DepthwiseConv2D(5).BatchNormalization().PointwiseConv2D(channels).BatchNormalization().GlobalAveragePool2D().Dense(3).Build(1);

    private static string Plan(Model model, int batch) => model.Plan(Loss.SoftmaxCrossEntropy(), batch).ToString();

    private static string[] Lines(string plan) => [.. plan.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Contains(Asks, StringComparison.Ordinal))];
}
