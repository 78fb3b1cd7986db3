using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Training;

public sealed class TrainingTests
{
    private static readonly Dataset Digits = DrawnDigits.Create(300, seed: 1);

    [Fact]
    public void Fit_DrawnDigits_LearnsThem()
    {
        Model model = Small();
        History history = model.Fit(Digits, options: new() { Epochs = 12, BatchSize = 32, Optimizer = new Adam(3e-3f) });
        history.Reason.Should().Be(StopReason.Finished);
        history.Steps.Should().Be(12 * 10);
        history.Epochs.Should().HaveCount(12);
        history.Epochs[^1].Loss.Should().BeLessThan(history.Epochs[0].Loss / 2);
        Evaluation evaluation = model.Evaluate(Digits);
        evaluation.Accuracy.Should().BeGreaterThan(0.8);
        evaluation.Count.Should().Be(300);
    }

    [Fact]
    public void Fit_SameSeed_GivesTheSameBits_AnotherSeedOthers()
    {
        float[] Train(ulong seed)
        {
            Model model = Small();
            model.Fit(Digits, options: new() { Epochs = 2, BatchSize = 64, Seed = seed });
            return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
        }

        Train(1).Should().Equal(Train(1));
        Train(1).Should().NotEqual(Train(2));
    }

    [Fact]
    public void Fit_Cancelled_ReturnsTheModelSoFar()
    {
        Model model = Small();
        using var cancel = new CancellationTokenSource();
        int reports = 0;
        var progress = new Immediate(report =>
        {
            if (++reports == 15)
                cancel.Cancel();
        });
        History history = model.Fit(Digits, options: new() { Epochs = 5, BatchSize = 32, Optimizer = new Adam(1e-2f), Progress = progress, CancellationToken = cancel.Token });
        history.Reason.Should().Be(StopReason.Cancelled);
        history.Steps.Should().Be(15);
        history.Epochs.Should().HaveCount(1, "ten steps are an epoch");
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().NotEqual(Small().Parameter("dense.kernel").Value.Span.ToArray());
    }

    [Fact]
    public void Fit_Progress_CountsImagesAndTheLastSmallBatch()
    {
        var reports = new List<TrainingProgress>();
        Small().Fit(Digits, options: new() { Epochs = 2, BatchSize = 128, Progress = new Immediate(reports.Add) });
        reports.Select(report => report.Images).Should().Equal(128, 256, 300, 128, 256, 300);
        reports.Select(report => report.Epoch).Should().Equal(1, 1, 1, 2, 2, 2);
        reports[^1].Remaining.Should().Be(TimeSpan.Zero);
    }

    [Fact]
    public void Fit_FiguresOfAnEpoch_WeighTheLastSmallBatchByItsImages()
    {
        // At a learning rate of 0 an epoch sees what an evaluation does.
        Model model = new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255).AveragePool2D(4).Flatten().Dense(10).Build(1);
        History history = model.Fit(Digits, options: new() { Epochs = 1, BatchSize = 298, Optimizer = new Sgd(0) });
        Evaluation evaluation = model.Evaluate(Digits);
        history.Epochs[0].Loss.Should().BeApproximately(evaluation.Loss, 1e-5);
        history.Epochs[0].Accuracy.Should().Be(evaluation.Accuracy);
    }

    [Fact]
    public void EarlyStopping_NoProgress_StopsAndRestoresTheBest()
    {
        Model model = Small();
        var stop = new EarlyStopping(patience: 2, restoreBestWeights: true);
        var losses = new List<double>();
        History history = model.Fit(Digits.Take(100), Digits.Skip(100), new() { Epochs = 40, BatchSize = 20, Optimizer = new Adam(0.02f), Callbacks = [stop, new Watch(losses)] });
        history.Reason.Should().Be(StopReason.Callback);
        history.Epochs.Should().HaveCount(stop.BestEpoch + 2);
        stop.BestEpoch.Should().Be(losses.IndexOf(losses.Min()) + 1);
        model.Evaluate(Digits.Skip(100)).Loss.Should().Be(losses.Min());
    }

    [Fact]
    public void Step_NotFinite_ChangesNothingAndNamesStepAndLayer()
    {
        Model model = new ModelBuilder(4, 4, 1).Conv2D(3, 3, name: "first").BatchNormalization().Flatten().Dense(2).Build(1);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 4);
        float[] images = TestData.Uniform(64, 3);
        session.Step(images, [0, 1, 0, 1]);
        float[] before = [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
        images[5] = float.NaN;
        Action step = () => session.Step(images, [0, 1, 0, 1]);
        step.Should().Throw<NonFiniteException>().WithMessage("Step 2 *'input'*");
        images[5] = 3e38f;
        step.Should().Throw<NonFiniteException>().WithMessage("Step 2 *'batch_normalization'*", "its squares overflow first");
        model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray()).Should().Equal(before);
        images[5] = 0;
        session.Step(images, [0, 1, 0, 1]).Loss.Should().BePositive();
    }

    [Fact]
    public void Step_InfiniteLossWithFiniteGradients_ChangesNothing()
    {
        // The loss is the distance of the two logits, beyond a float; its gradient is -1 and 1.
        Model model = new ModelBuilder(1, 1, 1).Dense(2, useBias: false).Build(1);
        float[] weights = [3e38f, -3e38f];
        weights.CopyTo(model.Parameter("dense.kernel").Value.Span);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1e30f), 1);
        Action step = () => session.Step([1], [1]);
        step.Should().Throw<NonFiniteException>().WithMessage("Step 1 stopped: the loss is *");
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().Equal(weights);
        session.StepCount.Should().Be(0);
        model.Parameter("dense.kernel").Gradient!.Span.ToArray().Should().OnlyContain(value => float.IsFinite(value), "else another check would have stopped it");
    }

    [Fact]
    public void Step_FiniteLossWithInfiniteGradients_ChangesNothing()
    {
        // Logits of 2 and -2, but a gradient whose square is beyond a float.
        Model model = new ModelBuilder(1, 1, 1).Dense(2, useBias: false).Build(1);
        float[] weights = [2e-38f, -2e-38f];
        weights.CopyTo(model.Parameter("dense.kernel").Value.Span);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1e-30f), 1);
        Action step = () => session.Step([1e38f], [1]);
        step.Should().Throw<NonFiniteException>().WithMessage("Step 1 stopped: a gradient is not finite. Every layer's output is finite.*");
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().Equal(weights);
    }

    [Fact]
    public void Step_OnOneThread_AllocatesNothing()
    {
        Model model = EveryLayer.Build(seed: 2);
        model.Execution = new() { ThreadCount = 1 };
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 8);
        float[] images = TestData.Uniform(8 * model.InputShape.Length, 1), outputs = new float[24];
        int[] labels = TestData.Labels(8, 3, 2);
        for (int i = 0; i < 3; i++)
        {
            session.Step(images, labels);
            model.Predict(images, outputs);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        session.Step(images, labels);
        model.Predict(images, outputs);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Fact]
    public void Predict_ManyThreadsAtOnce_GivesEachTheSameBits()
    {
        Model model = EveryLayer.Build(seed: 2);
        float[] images = TestData.Uniform(5 * model.InputShape.Length, 1), expected = new float[15];
        model.Predict(images, expected);
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            float[] outputs = new float[15];
            model.Predict(images, outputs);
            outputs.Should().Equal(expected);
        });
    }

    [Fact]
    public void PredictProbabilities_AnyImage_AddUpToOne()
    {
        Model model = EveryLayer.Build(seed: 2);
        float[] probabilities = new float[6];
        model.PredictProbabilities(TestData.Uniform(2 * model.InputShape.Length, 1), probabilities);
        probabilities[..3].Sum().Should().BeApproximately(1, 1e-6f);
        probabilities[3..].Sum().Should().BeApproximately(1, 1e-6f);
    }

    [Fact]
    public void ByHand_SameLoop_GivesTheSessionsWeights()
    {
        Model byHand = Small(), bySession = Small();
        var optimizer = new Adam(1e-2f);
        TrainingSession session = bySession.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-2f), 16);
        float[] images = new float[16 * 784], logits = new float[160], gradient = new float[160];
        int[] labels = new int[16];
        for (int step = 0; step < 4; step++)
        {
            int[] indices = [.. Enumerable.Range(step * 16, 16)];
            Digits.CopyImages(indices, images);
            Digits.CopyLabels(indices, labels);
            session.Step(images, labels);

            byHand.ZeroGradients();
            byHand.Forward(images, logits);
            Loss.SoftmaxCrossEntropy().Evaluate(logits, labels, gradient);
            byHand.Backward(gradient);
            byHand.Step(optimizer);
        }

        byHand.Parameters.SelectMany(p => p.Value.Span.ToArray()).Should().Equal(bySession.Parameters.SelectMany(p => p.Value.Span.ToArray()));
    }

    [Fact]
    public void Clipping_ByNorm_BoundsTheStep()
    {
        Model free = Small(), bound = Small();
        float[] images = new float[16 * 784];
        int[] labels = new int[16], indices = [.. Enumerable.Range(0, 16)];
        Digits.CopyImages(indices, images);
        Digits.CopyLabels(indices, labels);
        free.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 16).Step(images, labels);
        TrainingSession session = bound.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 16, clipping: GradientClipping.ByNorm(0.01f));
        session.Step(images, labels);
        Moved(bound).Should().BeApproximately(0.01, 1e-5);
        Model first = bound.Clone();
        session.Step(images, labels);
        Moved(bound, first).Should().BeApproximately(0.01, 1e-5, "the norm is each step's own");
        Moved(free).Should().BeGreaterThan(0.1);
        Model wide = Small();
        wide.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 16, clipping: GradientClipping.ByNorm(1000)).Step(images, labels);
        Moved(wide).Should().Be(Moved(free), "a gradient within the bound stays as it is");

        static double Moved(Model model, Model? from = null) => Math.Sqrt(model.Parameters.Zip((from ?? Small()).Parameters)
            .Where(pair => pair.First.IsTrainable)
            .SelectMany(pair => pair.First.Value.Span.ToArray().Zip(pair.Second.Value.Span.ToArray(), (a, b) => (double)(a - b) * (a - b))).Sum());
    }

    [Fact]
    public void Clipping_ByValue_BoundsEachComponent()
    {
        // Two classes alike: the gradient is half an input, or minus that.
        Model model = new ModelBuilder(1, 1, 3).Dense(2, useBias: false).Build();
        Parameter weights = model.Parameter("dense.kernel");
        weights.Value.Span.Clear();
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 1, clipping: GradientClipping.ByValue(0.4f));
        session.Step([1, -2, 0.25f], [0]);
        weights.Value.Span.ToArray().Should().Equal(0.4f, -0.4f, -0.4f, 0.4f, 0.125f, -0.125f);
        Action none = () => GradientClipping.ByValue(0);
        none.Should().Throw<ArgumentOutOfRangeException>();
    }

    /// <summary>More parameters than one worker takes at once: of all of them the norm and the bound.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Clipping_ManyParameters_BoundsAllOfThem(int threads)
    {
        const int Inputs = 2000, Classes = 90;
        Model model = new ModelBuilder(1, 1, Inputs).Dense(Classes, useBias: false).Build();
        model.Execution = new() { ThreadCount = threads };
        Span<float> weights = model.Parameter("dense.kernel").Value.Span;
        weights.Clear();
        float[] image = [.. Enumerable.Range(0, Inputs).Select(input => 1 + (input % 7))];

        // Classes alike: minus the gradient is an input times 1 - 1/classes for the label's class, times -1/classes for the others.
        double norm = Math.Sqrt(image.Sum(value => (double)value * value) * (((Classes - 1.0) / Classes * (Classes - 1.0) / Classes) + ((Classes - 1.0) / Classes / Classes)));
        model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 1, clipping: GradientClipping.ByNorm(0.5f)).Step(image, [3]);
        for (int i = 0; i < weights.Length; i++)
            ((double)weights[i]).Should().BeApproximately(image[i / Classes] * ((i % Classes == 3 ? 1.0 : 0.0) - (1.0 / Classes)) * 0.5 / norm, 1e-6);

        weights.Clear();
        model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 1, clipping: GradientClipping.ByValue(0.05f)).Step(image, [3]);
        for (int i = 0; i < weights.Length; i++)
            ((double)weights[i]).Should().BeApproximately(Math.Clamp(image[i / Classes] * ((i % Classes == 3 ? 1.0 : 0.0) - (1.0 / Classes)), -0.05, 0.05), 1e-6);
    }

    [Fact]
    public void Evaluation_FromAConfusionMatrix_DerivesEveryFigure()
    {
        var evaluation = new Evaluation(0.5, new long[,] { { 3, 1, 0 }, { 2, 4, 0 }, { 0, 0, 0 } });
        (evaluation.Count, evaluation.Correct, evaluation.Accuracy).Should().Be((10, 7, 0.7));
        evaluation.Classes[0].Should().Be(new ClassFigures(0.6, 0.75, 6.0 / 9, 4));
        evaluation.Classes[2].Should().Be(new ClassFigures(0, 0, 0, 0));
        evaluation.Precision.Should().BeApproximately((0.6 + 0.8) / 3, 1e-12);
        evaluation.Recall.Should().BeApproximately((0.75 + (4.0 / 6)) / 3, 1e-12);
    }

    [Fact]
    public void Fit_DataOfOtherShape_NamesBothShapes()
    {
        Action fit = () => new ModelBuilder(4, 4, 1).Flatten().Dense(10).Build().Fit(Digits);
        fit.Should().Throw<ArgumentException>().WithMessage("*4x4x1*28x28x1*");
        Action few = () => new ModelBuilder(28, 28, 1).Flatten().Dense(3).Build().Fit(Digits);
        few.Should().Throw<ArgumentException>().WithMessage("*10 classes*3 outputs*");
    }

    private static Model Small() => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255)
        .Conv2D(8, 3, stride: 2, activation: Activation.ReLU).SeparableConv2D(16, 3, stride: 2, activation: Activation.ReLU, batchNormalization: true)
        .Flatten().Dense(10).Build(seed: 7);

    private sealed class Immediate(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private sealed class Watch(List<double> losses) : ITrainingCallback
    {
        public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
        {
            losses.Add(epoch.Validation!.Loss);
            return true;
        }
    }
}
