using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Losses;

public sealed class ClassWeightsTests
{
    [Fact]
    public void SoftmaxCrossEntropy_Weighted_IsPyTorchs()
    {
        // F.cross_entropy(logits, labels, weight, reduction='sum') / 4 in float64, PyTorch 1.13
        float[] logits = [1.5f, -0.25f, 0.5f, -1, 2, 0.125f, 0.75f, 0, -3, 4, 1, 2.5f], gradient = new float[12];
        double[] expected =
        [
            -0.043918220368544106, 0.01408990058853807, 0.029828319780006027, 0.01293152297035799, 0.25973658209417483, -0.27266810506453276,
            0.33425045003075793, -0.34211126716683804, 0.007860817136080035, 0.24549907330914872, 0.012222679147089828, -0.2577217524562385,
        ];
        float loss = Loss.SoftmaxCrossEntropy(classWeights: [0.5f, 2, 1.25f]).Evaluate(logits, [0, 2, 1, 2], gradient);
        loss.Should().BeApproximately(1.8183556370695284f, 1e-6f);
        for (int i = 0; i < gradient.Length; i++)
            ((double)gradient[i]).Should().BeApproximately(expected[i], 1e-7, "value {0}", i);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void SoftmaxCrossEntropy_Weighted_IsEachImagesLossTimesItsClasss(double smoothing)
    {
        const int Rows = 7, Classes = 19;
        float[] logits = TestData.Uniform(Rows * Classes, 1, -5, 5), weights = TestData.Uniform(Classes, 2, 0, 3), gradient = new float[logits.Length];
        int[] labels = TestData.Labels(Rows, Classes, 3);
        double expected = 0;
        for (int row = 0; row < Rows; row++)
        {
            double[] own = TestData.ToDouble(logits.AsSpan(row * Classes, Classes));
            expected += weights[labels[row]] * LayerOracle.SoftmaxCrossEntropy(own, [labels[row]], Classes, smoothing) / Rows;
        }

        foreach (SimdLevel level in SimdLevels.Callable)
        {
            double loss = Loss.SoftmaxCrossEntropy((float)smoothing, weights).Evaluate(logits, labels, gradient, level);
            loss.Should().BeApproximately(expected, 1e-6 * expected);
            for (int row = 0; row < Rows; row++)
            {
                float[] alone = new float[Classes];
                Loss.SoftmaxCrossEntropy((float)smoothing).Evaluate(logits.AsSpan(row * Classes, Classes), [labels[row]], alone, level);
                for (int c = 0; c < Classes; c++)
                    gradient[(row * Classes) + c].Should().BeApproximately(alone[c] * weights[labels[row]] / Rows, 1e-7f);
            }
        }
    }

    [Fact]
    public void Step_WeightsOfOne_GivesTheBitsOfNone()
    {
        float[] Train(Loss loss)
        {
            Model model = EveryLayer.Build(seed: 1);
            TrainingSession session = model.BeginTraining(loss, new Sgd(0.1f), 9);
            session.Step(TestData.Uniform(9 * model.InputShape.Length, 1), TestData.Labels(9, 3, 2));
            return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
        }

        Train(Loss.SoftmaxCrossEntropy(0.1f, [1, 1, 1])).Should().Equal(Train(Loss.SoftmaxCrossEntropy(0.1f)));
        Train(Loss.SoftmaxCrossEntropy(0.1f, [1, 1, 2])).Should().NotEqual(Train(Loss.SoftmaxCrossEntropy(0.1f)));
    }

    [Fact]
    public void Weights_ThatDoNotFit_AreRefused()
    {
        Action negative = () => Loss.SoftmaxCrossEntropy(classWeights: [1, -1]);
        negative.Should().Throw<ArgumentException>().WithMessage("*class 1 has -1*");
        Action none = () => Loss.SoftmaxCrossEntropy(classWeights: [0, 0]);
        none.Should().Throw<ArgumentException>().WithMessage("*above 0*");
        Loss two = Loss.SoftmaxCrossEntropy(classWeights: [1, 2]);
        Action evaluate = () => two.Evaluate([1, 2, 3], [0]);
        evaluate.Should().Throw<ArgumentException>().WithMessage("*2 classes*3 outputs*");
        Action train = () => EveryLayer.Build(1).BeginTraining(two, new Adam(), 4);
        train.Should().Throw<ArgumentException>().WithMessage("*2 classes*3 outputs*");
    }

    [Fact]
    public void Balanced_UnequalClasses_WeighTheSameTogetherAndOneOnTheMean()
    {
        int[] labels = [0, 0, 0, 0, 0, 0, 2, 2, 3];
        float[] weights = ClassWeights.Balanced(Dataset.From(new byte[9], new(1, 1, 1), labels, ["a", "b", "c", "d"]));
        weights.Should().Equal(0.5f, 1, 1.5f, 3);
        labels.Average(label => weights[label]).Should().Be(1);
        Action none = () => ClassWeights.Balanced(Dataset.From(Array.Empty<byte>(), new(1, 1, 1), Array.Empty<int>(), ["a"]));
        none.Should().Throw<ArgumentException>();
    }
}
