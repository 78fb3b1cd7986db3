using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>
/// Whole plans with every buffer, every parameter and every gradient between guard pages of its own, and packed weights, private sums and losses likewise: a phase that steps beyond one of
/// them ends the process, and one that reads what no phase wrote gives NaN. Results have the bits of the usual plan, whose buffers share their memory.
/// </summary>
public sealed class GuardedPlanTests
{
    private const ulong Seed = 3;

    /// <summary>One more image than a worker carries at once, so that the last group is cut.</summary>
    private const int Batch = 9;

    [Theory]
    [InlineData("every")]
    [InlineData("pooled")]
    [InlineData("pooled normalization")]
    [InlineData("separable_dilated_bn")]
    [InlineData("keras_listing")]
    [InlineData("section_4_3")]
    public void Network_EveryBufferBetweenGuards_GivesTheSameBits(string network)
    {
        switch (network)
        {
            case "every":
                Check(EveryLayer.Build(seed: 5), [.. SimdLevels.Callable]);
                break;
            case "pooled":
                Check(PooledNetwork.Build(seed: 5), [.. SimdLevels.Callable]);
                break;
            case "pooled normalization":
                Check(PooledNormalizationStepTests.Build(), [.. SimdLevels.Callable]);
                break;
            default:
                Check(new GoldenNetwork(GoldenCases.Load(network)).Model, [SimdLevels.Default]);
                break;
        }
    }

    [Fact]
    public void RandomGraphs_EveryBufferBetweenGuards_GiveTheSameBits()
    {
        for (int number = 0; number < 40; number++)
            Check(RandomGraph.Build(Seed, number), [SimdLevels.Default]);
    }

    /// <summary>What is frozen has no gradients, and a batch normalization that is uses its statistics.</summary>
    [Fact]
    public void FrozenLayers_EveryBufferBetweenGuards_GiveTheSameBits()
    {
        Model model = EveryLayer.Build(seed: 5);
        model.Freeze([.. model.Nodes.Where(model.Store.HasParameters).Select(node => node.Name).Where((_, number) => number % 2 == 1)]);
        Check(model, [SimdLevels.Default]);
    }

    /// <summary>Bands of a row or more, in which an image goes through the stages that allow it.</summary>
    [Fact]
    public void ImagesInBands_EveryBufferBetweenGuards_GiveTheSameBits()
    {
        BandLimits bands = new(Image: 0, Band: 64, Weights: long.MaxValue);
        Check(BandTests.Residual(6, 5), [.. SimdLevels.Callable], bands);
        Check(BandTests.Windows(24, 3), [.. SimdLevels.Callable], bands with { Band = 1024 });
        Check(BandTests.Branches(24, 3), [SimdLevels.Default], bands with { Band = 1024 });
        Check(BandTests.Bottlenecks(32, 32), [SimdLevels.Default], bands with { Band = 16 * 1024 });
        for (int number = 0; number < 20; number++)
            Check(RandomGraph.Build(Seed, number), [SimdLevels.Default], bands);
    }

    /// <summary>Convolutions that run again in place of outputs that are kept, in bands and whole.</summary>
    [Fact]
    public void OutputsWorkedOutAgain_EveryBufferBetweenGuards_GiveTheSameBits()
    {
        Check(RecomputeTests.OneChannel(), [SimdLevels.Default], recompute: RecomputeTests.Always);
        Check(RecomputeTests.Depthwise(), [.. SimdLevels.Callable], recompute: RecomputeTests.Always);
        Check(RecomputeTests.Banded(), [SimdLevels.Default], BandTests.Windowed, RecomputeTests.Always);
    }

    /// <summary>A layer of one's own gets spans, of parameters and of what it may write into where no gradient is wanted.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LayerOfOnesOwn_EveryBufferBetweenGuards_GivesTheSameBits(bool isFrozen)
    {
        Model model = new ModelBuilder(3, 2, 3).Conv2D(5, 1).Layer(new Scale()).Flatten().Dense(3).Build(Seed);
        if (isFrozen)
            model.Freeze("scale");

        Check(model, [SimdLevel.Scalar]);
    }

    private static void Check(Model model, SimdLevel[] levels, BandLimits? bands = null, RecomputeLimits? recompute = null)
    {
        float[] images = TestData.Uniform(Batch * model.InputShape.Length, Seed);
        int[] labels = TestData.Labels(Batch, model.OutputShape.Length, Seed);
        foreach (SimdLevel level in levels)
        {
            Run[] runs = [Predict, Train, ByHand];
            float[][] expected = [.. runs.Select(run => run(model.Graph, model.Clone().Store, images, labels, level, bands, recompute, null))];
            expected[0].Should().OnlyContain(value => float.IsFinite(value));
            foreach (float[] gradients in expected.Skip(1))
                gradients.Should().OnlyContain(value => float.IsFinite(value)).And.Contain(value => value != 0);

            foreach (Guard guard in Enum.GetValues<Guard>())
            {
                using var source = new GuardedMemory(images, guard);
                int[] buffers = new int[runs.Length];
                for (int run = 0; run < runs.Length; run++)
                {
                    using var memory = new GuardedPlanMemory(guard);
                    using var blocks = new GuardedBlocks(guard);
                    using var store = new GuardedParameterStore(model, guard);
                    runs[run](model.Graph, store, source.Span, labels, level, bands, recompute, memory).Should().Equal(expected[run], "{0}, {1}, guards {2}", runs[run].Method.Name, level, guard);
                    buffers[run] = memory.Count;
                }

                buffers[1].Should().BeGreaterThan(buffers[0]);
                buffers[2].Should().BeGreaterThan(buffers[0]);
            }
        }
    }

    private delegate float[] Run(
        NativeConv.Graph.Graph graph, ParameterStore store, ReadOnlySpan<float> images, int[] labels, SimdLevel level, BandLimits? bands, RecomputeLimits? recompute, GuardedPlanMemory? memory);

    private static float[] Predict(NativeConv.Graph.Graph graph, ParameterStore store, ReadOnlySpan<float> images, int[] labels, SimdLevel level, BandLimits? bands, RecomputeLimits? recompute, GuardedPlanMemory? memory)
    {
        var executor = new InferenceExecutor(graph, store, new() { Level = level, ThreadCount = 1 }, memory: memory);
        using var outputs = new GuardedMemory(Batch * graph.Output.Shape.Length, Guard.After);
        executor.Run(images, outputs.Span, Batch, probabilities: true);
        return outputs.Span.ToArray();
    }

    /// <summary>The gradients of a step, then of one with an image less; and the running statistics.</summary>
    private static float[] Train(NativeConv.Graph.Graph graph, ParameterStore store, ReadOnlySpan<float> images, int[] labels, SimdLevel level, BandLimits? bands, RecomputeLimits? recompute, GuardedPlanMemory? memory)
    {
        var executor = new TrainingExecutor(new(graph, store, PlanKind.Training, Batch, workers: 1, level, Loss.SoftmaxCrossEntropy(), memory: memory, bands: bands, recompute: recompute), Seed);
        labels.CopyTo(executor.Plan.Loss!.Labels);
        executor.Run(images, Batch, step: 0);
        executor.Run(images[..((Batch - 1) * graph.Input.Shape.Length)], Batch - 1, step: 1);
        return Left(store);
    }

    /// <summary>The same without a loss: the outputs are taken for its gradients.</summary>
    private static unsafe float[] ByHand(NativeConv.Graph.Graph graph, ParameterStore store, ReadOnlySpan<float> images, int[] labels, SimdLevel level, BandLimits? bands, RecomputeLimits? recompute, GuardedPlanMemory? memory)
    {
        var executor = new TrainingExecutor(new(graph, store, PlanKind.ByHand, Batch, workers: 1, level, loss: null, memory: memory, bands: bands, recompute: recompute), Seed);
        for (int step = 0; step < 2; step++)
        {
            int count = Batch - step, length = count * graph.Output.Shape.Length;
            executor.Forward(images[..(count * graph.Input.Shape.Length)], count, step);
            new ReadOnlySpan<float>(executor.Plan.Output(graph.Output), length).CopyTo(new(executor.Plan.OutputGradient(graph.Output), length));
            executor.Backward();
        }

        return Left(store);
    }

    private static float[] Left(ParameterStore store)
    {
        (store as GuardedParameterStore)?.Collect();
        return [.. store.Gradients.Span, .. store.State.Span];
    }

    /// <summary>y = x * scale[c].</summary>
    private sealed class Scale : CustomLayer
    {
        public override string Kind => "scale";

        public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

        public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs) => [new("scale", new(inputs[0].Channels), ParameterRole.Gamma)];

        public override void Forward(in LayerForward call)
        {
            for (int i = 0; i < call.Output.Length; i++)
                call.Output[i] = call.Input()[i] * call.Parameter(0)[i % call.Parameter(0).Length];
        }

        public override void Backward(in LayerBackward call)
        {
            Span<float> gradient = call.ParameterGradient(0);
            for (int i = 0; i < call.OutputGradient.Length; i++)
            {
                gradient[i % gradient.Length] += call.Input()[i] * call.OutputGradient[i];
                call.InputGradient()[i] = call.OutputGradient[i] * call.Parameter(0)[i % gradient.Length];
            }
        }
    }
}
