using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Optimizers;

public sealed class LearningRateFactorTests
{
    private const int Batch = 6;

    [Fact]
    public void Step_WithFactors_MovesEachParameterByItsOwnRate()
    {
        // One step of plain descent from equal weights: the gradient is the same, and powers of two are exact.
        Dictionary<string, float> factors = new()
        {
            ["block/conv.kernel"] = 0.25f, ["block/conv.bias"] = 4, ["block/more.kernel"] = 0.25f, ["block/more.bias"] = 4, ["dense.kernel"] = 1, ["dense.bias"] = 0,
        };
        Model with = Network(), expected = with.Clone();
        float[] images = TestData.Uniform(Batch * with.InputShape.Length, 1);
        int[] labels = TestData.Labels(Batch, 3, 2);
        Loss loss = Loss.SoftmaxCrossEntropy();
        TrainingSession session = with.BeginTraining(
            loss, new Sgd(8), Batch, learningRateFactors: [("*", 2), ("block/*", 0.25f), ("block/*.bias", 4), ("dense", 1), ("*ense.bias", 0)]);
        session.LearningRate = 0.125f;
        session.Step(images, labels);
        float[] y = new float[Batch * 3], dy = new float[y.Length];
        expected.Forward(images, y);
        loss.Evaluate(y, labels, dy);
        expected.Backward(dy);
        foreach (Parameter parameter in expected.Parameters)
        {
            float rate = 0.125f * factors[parameter.Name];
            float[] moved = [.. parameter.Value.Span.ToArray().Zip(parameter.Gradient!.Span.ToArray(), (w, g) => w - (rate * g))];
            foreach ((float a, float b) in with.Parameter(parameter.Name).Value.Span.ToArray().Zip(moved))
                a.Should().BeApproximately(b, 1e-6f, parameter.Name);
        }
    }

    [Fact]
    public void Fit_WithAFactorOfNothing_LeavesTheWeights()
    {
        Model model = Network();
        float[] before = model.Parameter("block/conv.kernel").Value.Span.ToArray(), head = model.Parameter("dense.kernel").Value.Span.ToArray();
        var data = Dataset.FromFloats(TestData.Uniform(20 * 32, 1), model.InputShape, TestData.Labels(20, 3, 2), ["a", "b", "c"]);
        model.Fit(data, null, new() { Optimizer = new AdamW(0.01f), BatchSize = 5, Schedule = LearningRateSchedule.OneCycle(), LearningRateFactors = [("block/*", 0)] });
        model.Parameter("block/conv.kernel").Value.Span.ToArray().Should().Equal(before);
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().NotEqual(head);
    }

    [Theory]
    [InlineData("head", 1, "*named 'head'; there are block/conv, block/more, dense*")]
    [InlineData("input", 1, "*named 'input'*")]
    [InlineData("dense", -1, "*'dense' has -1*")]
    [InlineData("dense", float.NaN, "*'dense' has NaN*")]
    [InlineData("dense", float.PositiveInfinity, "*'dense' has*")]
    public void Factors_ThatAreWrong_AreNamed(string pattern, float factor, string message)
    {
        Action begin = () => Network().BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch, learningRateFactors: [("*", 1), (pattern, factor)]);
        begin.Should().Throw<ArgumentException>().WithMessage(message);
    }

    private static Model Network() => new ModelBuilder(4, 4, 2).Conv2D(3, 3, name: "block/conv").Activate(Activation.Tanh)
        .Conv2D(3, 3, name: "block/more").Flatten().Dense(3).Build(seed: 1);
}
