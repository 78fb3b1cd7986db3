using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>The same weights, bit for bit, for every number of threads and every vector width.</summary>
public sealed class BitsTests
{
    private const int Steps = 20, Batch = 37;

    [Theory]
    [InlineData("every")]
    [InlineData("separable_dilated_bn")]
    [InlineData("keras_listing")]
    [InlineData("section_4_3")]
    public void TwentySteps_AnyThreadsAndWidth_GiveTheSameWeights(string network)
    {
        float[] expected = Train(network, SimdLevels.Supported.Last(), threads: 1);
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (int threads in (int[])[2, 3, 8])
            Same(Train(network, SimdLevels.Supported.Last(), threads), expected, $"{threads} threads");

        if (!SimdLevels.HasFusedMultiplyAdd)
            return;

        foreach (SimdLevel level in SimdLevels.Callable.Where(level => network == "every" || level != SimdLevel.Scalar))
            Same(Train(network, level, threads: 2), expected, level.ToString());
    }

    /// <summary>Weights that threads share out, to pack them and to change them: a dense layer of many outputs, and one of few.</summary>
    [Fact]
    public void ManyWeights_AnyThreads_GiveTheSameWeights()
    {
        float[] expected = Train("many weights", SimdLevels.Default, threads: 1);
        expected.Should().OnlyContain(value => float.IsFinite(value));
        expected.Length.Should().BeGreaterThan(200_000);
        foreach (int threads in (int[])[2, 3, 8])
            Same(Train("many weights", SimdLevels.Default, threads), expected, $"{threads} threads");
    }

    private static float[] Train(string network, SimdLevel level, int threads)
    {
        Model model = network switch
        {
            "every" => EveryLayer.Build(seed: 5),
            "many weights" => new ModelBuilder(20, 21, 15).Flatten().Dense(11, activation: Activation.Tanh).Dense(140, activation: Activation.Tanh).Dense(999).Build(5),
            _ => new GoldenNetwork(GoldenCases.Load(network)).Model,
        };
        model.Execution = new() { Level = level, ThreadCount = threads };
        int batch = network == "every" ? Batch : 5;
        float[] images = TestData.Uniform(batch * model.InputShape.Length, 1);
        int[] labels = TestData.Labels(batch, model.OutputShape.Length, 2);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(0.1f), new AdamW(1e-3f), batch, seed: 4, GradientClipping.ByNorm(1));
        for (int step = 0; step < Steps; step++)
        {
            int count = batch - (step % 3);
            session.Step(images.AsSpan(0, count * model.InputShape.Length), labels.AsSpan(0, count));
        }

        return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
    }

    private static void Same(float[] actual, float[] expected, string what) =>
        actual.AsSpan().CommonPrefixLength(expected).Should().Be(expected.Length, "{0} should give the same bits", what);
}
