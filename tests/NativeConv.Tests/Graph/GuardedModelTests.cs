using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>
/// Models as they are used, with every block that is set aside between guard pages: values, gradients and statistics, packed weights, what optimizers remember, averages, sums and scratch. They give
/// the bits that they give without.
/// </summary>
public sealed class GuardedModelTests
{
    private const ulong Seed = 8;
    private const int Batch = 9, Classes = 3;

    public static TheoryData<string> Networks => ["every", "pooled", "separable_dilated_bn", "keras_listing", "section_4_3"];

    public static TheoryData<string> OptimizerNames => [.. Optimizers.Keys];

    private static readonly Dictionary<string, Func<Optimizer>> Optimizers = new()
    {
        ["SGD"] = () => new Sgd(0.01f),
        ["momentum"] = () => new Sgd(0.01f, momentum: 0.9f),
        ["Nesterov"] = () => new Sgd(0.01f, momentum: 0.9f, nesterov: true),
        ["RMSprop"] = () => new RmsProp(0.001f),
        ["Adam"] = () => new Adam(0.001f),
        ["AdamW"] = () => new AdamW(0.001f),
    };

    [Theory]
    [MemberData(nameof(OptimizerNames))]
    public void Steps_OfEveryOptimizer_GiveTheSameBits(string optimizer) => Same(2 + 3, () =>
    {
        Model model = EveryLayer.Build(Seed);
        model.Execution = new() { ThreadCount = 1 };
        return Train(model, model.BeginTraining(Loss.SoftmaxCrossEntropy(labelSmoothing: 0.1f), Optimizers[optimizer](), Batch, clipping: GradientClipping.ByNorm(0.1f)));
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public void Steps_OnThreads_GiveTheSameBits(string network) => Same(5, () =>
    {
        Model model = Build(network, threads: 3);
        return Train(model, model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.001f), Batch));
    });

    [Fact]
    public void Steps_InPartsWithATeacher_GiveTheSameBits() => Same(5, () =>
    {
        Model model = EveryLayer.Build(Seed);
        var teacher = new Distillation(EveryLayer.Build(Seed + 1), temperature: 3, weight: 0.5f);
        return Train(model, model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.001f), Batch, microBatchSize: 4, distillation: teacher));
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public void StepsByHand_GiveTheSameBits(string network) => Same(5, () =>
    {
        Model model = Build(network, threads: 1);
        var optimizer = new Adam(0.001f);
        float[] images = Images(model), outputs = new float[Batch * model.OutputShape.Length];
        for (int step = 0; step < 2; step++)
        {
            model.ZeroGradients();
            model.Forward(images, outputs);
            model.Backward(outputs);
            model.Step(optimizer);
        }

        return Left(model);
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public void Predictions_GiveTheSameBits(string network) => Same(5, () =>
    {
        Model model = Build(network, threads: 2);
        return Predict(model);
    });

    [Fact]
    public void Predictions_OfRandomGraphs_GiveTheSameBits()
    {
        for (int number = 0; number < 40; number++)
            Same(4, () => Predict(RandomGraph.Build(Seed, number)));
    }

    /// <summary>Averages of the weights, the best of the weights, and what is evaluated meanwhile.</summary>
    [Fact]
    public void Fit_GivesTheSameBits() => Same(10, () =>
    {
        Model model = EveryLayer.Build(Seed);
        Dataset data = Dataset.FromFloats(TestData.Uniform(40 * model.InputShape.Length, Seed), model.InputShape, TestData.Labels(40, Classes, Seed), ["a", "b", "c"]);
        model.Fit(data, data, new()
        {
            Epochs = 2, BatchSize = Batch, Optimizer = new Adam(0.01f), Averaging = new WeightAveraging(0.5f), Callbacks = [new EarlyStopping(patience: 1, restoreBestWeights: true)],
        });
        return Left(model);
    });

    private static Model Build(string network, int threads)
    {
        Model model = network switch
        {
            "every" => EveryLayer.Build(Seed),
            "pooled" => PooledNetwork.Build(Seed),
            _ => new GoldenNetwork(GoldenCases.Load(network)).Model,
        };
        model.Execution = new() { ThreadCount = threads };
        return model;
    }

    private static float[] Images(Model model) => TestData.Uniform(Batch * model.InputShape.Length, Seed);

    /// <summary>What three steps leave, the last of an image less: weights, statistics and moments.</summary>
    private static float[] Train(Model model, TrainingSession session)
    {
        float[] images = Images(model);
        int[] labels = TestData.Labels(Batch, model.OutputShape.Length, Seed);
        session.Step(images, labels);
        session.Step(images, labels);
        session.Step(images.AsSpan(model.InputShape.Length), labels.AsSpan(1));
        return [.. Left(model), .. session.OptimizerState.Moments.Span];
    }

    /// <summary>What the model says, what it says once its weights are packed, and what it says of one image.</summary>
    private static float[] Predict(Model model)
    {
        float[] images = Images(model), outputs = new float[Batch * model.OutputShape.Length], packed = new float[outputs.Length], one = new float[model.OutputShape.Length];
        InferenceModel inference = model.ToInference();
        model.PredictProbabilities(images, outputs);
        inference.Predict(images, packed);
        inference.Predict(images.AsSpan(0, model.InputShape.Length), one);
        return [.. outputs, .. packed, .. one];
    }

    private static float[] Left(Model model) => [.. model.Store.Values.Span, .. model.Store.Gradients.Span, .. model.Store.State.Span];

    /// <summary>The same results with guards before, after and without, from no fewer blocks than there must be.</summary>
    private static void Same(int leastBlocks, Func<float[]> run)
    {
        float[] expected = run();
        expected.Should().OnlyContain(value => float.IsFinite(value)).And.Contain(value => value != 0);
        foreach (Guard guard in Enum.GetValues<Guard>())
        {
            using var blocks = new GuardedBlocks(guard);
            run().Should().Equal(expected, "guards are {0} every block", guard);
            blocks.Count.Should().BeGreaterThanOrEqualTo(leastBlocks);
        }
    }
}
