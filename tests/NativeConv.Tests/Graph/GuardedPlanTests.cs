using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>
/// Whole plans with every buffer between guard pages, as the kernels are tested one by one: a phase that steps beyond a buffer ends the process, and one that reads what no phase wrote
/// gives NaN. Results have the bits of the usual plan, whose buffers share their memory.
/// </summary>
public sealed class GuardedPlanTests
{
    private const ulong Seed = 3;

    /// <summary>One more image than a worker carries at once, so that the last group is cut.</summary>
    private const int Batch = 9;

    [Theory]
    [InlineData("every")]
    [InlineData("separable_dilated_bn")]
    [InlineData("keras_listing")]
    [InlineData("section_4_3")]
    public void Network_EveryBufferBetweenGuards_GivesTheSameBits(string network)
    {
        Model model = network == "every" ? EveryLayer.Build(seed: 5) : new GoldenNetwork(GoldenCases.Load(network)).Model;
        Check(model, network == "every" ? [.. SimdLevels.Callable] : [SimdLevels.Default]);
    }

    [Fact]
    public void RandomGraphs_EveryBufferBetweenGuards_GiveTheSameBits()
    {
        for (int number = 0; number < 40; number++)
            Check(RandomGraph.Build(Seed, number), [SimdLevels.Default]);
    }

    private static void Check(Model model, SimdLevel[] levels)
    {
        float[] images = TestData.Uniform(Batch * model.InputShape.Length, Seed);
        int[] labels = TestData.Labels(Batch, model.OutputShape.Length, Seed);
        foreach (SimdLevel level in levels)
        {
            float[] outputs = Predict(model, images, level, null), gradients = Train(model, images, labels, level, null);
            outputs.Should().OnlyContain(value => float.IsFinite(value));
            gradients.Should().OnlyContain(value => float.IsFinite(value)).And.Contain(value => value != 0);
            foreach (Guard guard in Enum.GetValues<Guard>())
            {
                using var source = new GuardedMemory(images, guard);
                using var inference = new GuardedPlanMemory(guard);
                Predict(model, source.Span, level, inference).Should().Equal(outputs, "{0}, guards {1}", level, guard);
                using var training = new GuardedPlanMemory(guard);
                Train(model, source.Span, labels, level, training).Should().Equal(gradients, "{0}, guards {1}", level, guard);
                training.Count.Should().BeGreaterThan(inference.Count);
            }
        }
    }

    private static float[] Predict(Model model, ReadOnlySpan<float> images, SimdLevel level, GuardedPlanMemory? memory)
    {
        var executor = new InferenceExecutor(model.Graph, model.Store, new() { Level = level, ThreadCount = 1 }, memory: memory);
        using var outputs = new GuardedMemory(Batch * model.OutputShape.Length, Guard.After);
        executor.Run(images, outputs.Span, Batch, probabilities: true);
        return outputs.Span.ToArray();
    }

    /// <summary>The gradients of a step, then of one with an image less.</summary>
    private static float[] Train(Model model, ReadOnlySpan<float> images, int[] labels, SimdLevel level, GuardedPlanMemory? memory)
    {
        // Forward changes running statistics: every training starts from the same.
        float[] state = model.Store.State.Span.ToArray();
        var plan = new Plan(model.Graph, model.Store, PlanKind.Training, Batch, workers: 1, level, Loss.SoftmaxCrossEntropy(), memory: memory);
        var executor = new TrainingExecutor(plan, Seed);
        labels.CopyTo(plan.Loss!.Labels);
        model.Store.Gradients.Span.Clear();
        executor.Run(images, Batch, step: 0);
        executor.Run(images[..((Batch - 1) * model.InputShape.Length)], Batch - 1, step: 1);
        state.CopyTo(model.Store.State.Span);
        return model.Store.Gradients.Span.ToArray();
    }
}
