using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Steps whose batch runs in parts.</summary>
public sealed class MicroBatchTests
{
    private const int Batch = 30;

    [Theory]
    [InlineData(15)]
    [InlineData(7)]
    [InlineData(1)]
    public void Step_InParts_IsTheWholeBatchs(int microBatch)
    {
        (Model whole, double wholeLoss, int wholeCorrect) = Train(Batch);
        (Model parts, double partsLoss, int partsCorrect) = Train(microBatch);
        partsLoss.Should().BeApproximately(wholeLoss, 1e-5 * wholeLoss);
        partsCorrect.Should().Be(wholeCorrect);
        Model before = NoNormalization();
        foreach (Parameter parameter in whole.Parameters)
        {
            float[] expected = parameter.Value.Span.ToArray(), actual = parts.Parameter(parameter.Name).Value.Span.ToArray();
            double moved = expected.Zip(before.Parameter(parameter.Name).Value.Span.ToArray(), (a, b) => Math.Abs(a - b)).Max();
            moved.Should().BePositive();
            expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max().Should().BeLessThan(1e-4 * moved, parameter.Name);
        }
    }

    [Fact]
    public void Step_AsManyAsTheBatch_GivesTheSameBits() => Values(Train(Batch).Model).Should().Equal(Values(Train(Batch + 5).Model));

    [Fact]
    public void Step_InParts_SetsMemoryAsideForOnePart()
    {
        Model model = NoNormalization();
        model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 256, microBatchSize: 4).ToString().Should().Contain("batch 4,");
    }

    [Fact]
    public void Step_InParts_DropsOtherValuesInEachPart()
    {
        // A kernel's row stays as it is where the value it multiplies was dropped in both images: in a quarter of the rows, unless both masks are one.
        const int Inputs = 400;
        Model model = new ModelBuilder(1, 1, Inputs).Dropout(0.5f).Dense(2, useBias: false).Build(seed: 1);
        float[] before = model.Parameter("dense.kernel").Value.Span.ToArray(), images = new float[2 * Inputs];
        images.AsSpan().Fill(1);
        model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), 2, microBatchSize: 1).Step(images, [0, 0]);
        float[] after = model.Parameter("dense.kernel").Value.Span.ToArray();
        Enumerable.Range(0, Inputs).Count(row => after[2 * row] == before[2 * row]).Should().BeInRange(Inputs * 3 / 20, Inputs * 7 / 20);
    }

    [Fact]
    public void Step_NotFiniteInALaterPart_ChangesNothingAndNamesTheLayer()
    {
        Model model = EveryLayer.Build(seed: 2);
        float[] before = Values(model), images = TestData.Uniform(8 * model.InputShape.Length, 1);
        images[^1] = float.NaN;
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 8, microBatchSize: 3);
        Action step = () => session.Step(images, TestData.Labels(8, 3, 2));
        step.Should().Throw<NonFiniteException>().WithMessage("Step 1 *'input'*");
        Values(model).Should().Equal(before, "running statistics included");
    }

    [Fact]
    public void MicroBatch_NotPositive_IsRefused()
    {
        Action session = () => NoNormalization().BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 8, microBatchSize: 0);
        session.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("microBatchSize");
        Action options = () => _ = new FitOptions { MicroBatchSize = 0 };
        options.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("MicroBatchSize");
    }

    private static (Model Model, double Loss, int Correct) Train(int microBatch)
    {
        Model model = NoNormalization();
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(0.1f, momentum: 0.9f), Batch, microBatchSize: microBatch);
        double loss = 0;
        int correct = 0;
        for (int step = 0; step < 5; step++)
        {
            int count = Batch - step;
            StepResult result = session.Step(TestData.Uniform(count * model.InputShape.Length, (ulong)step), TestData.Labels(count, 4, (ulong)step));
            loss += result.Loss;
            correct += result.Correct;
        }

        return (model, loss, correct);
    }

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];

    private static Model NoNormalization() => new ModelBuilder(8, 7, 2)
        .Conv2D(6, 3, activation: Activation.Tanh).DepthwiseConv2D(3, activation: Activation.SiLU).AveragePool2D(2).Flatten().Dense(4).Build(seed: 3);
}
