using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Training;

public sealed class WeightAveragingTests
{
    private static readonly Dataset Digits = DrawnDigits.Create(60, seed: 1);

    [Theory]
    [InlineData(0.8, false)]
    [InlineData(0.9, true)]
    public void Fit_Averaging_EndsWithTheAverageByHand(double decay, bool warmUp)
    {
        Model model = Build();
        double[]? average = null;
        int step = 0;
        model.Fit(Digits, options: new()
        {
            Epochs = 3, BatchSize = 20, Optimizer = new Sgd(0.1f), Averaging = new(decay, warmUp),
            Callbacks =
            [
                new Recorder
                {
                    Step = training =>
                    {
                        double[] weights = TestData.ToDouble(Values(training.Model));
                        step++;
                        double kept = warmUp ? Math.Min(decay, step / (step + 9.0)) : decay;
                        average = average == null ? weights : [.. average.Zip(weights, (a, w) => (kept * a) + ((1 - kept) * w))];
                    },
                },
            ],
        });
        step.Should().Be(9);
        float[] actual = Values(model);
        for (int i = 0; i < actual.Length; i++)
            ((double)actual[i]).Should().BeApproximately(average![i], 1e-6 * Math.Max(1, Math.Abs(average[i])), "value {0}", i);
    }

    [Fact]
    public void Fit_Averaging_LeavesTheStepsAsTheyAre()
    {
        List<float[]> Train(WeightAveraging? averaging)
        {
            var weights = new List<float[]>();
            Build().Fit(Digits, Digits, new()
            {
                Epochs = 2, BatchSize = 20, Optimizer = new Adam(0.01f), Averaging = averaging,
                Callbacks = [new Recorder { Step = training => weights.Add(Values(training.Model)) }],
            });
            return weights;
        }

        List<float[]> without = Train(null), with = Train(new(0.9));
        for (int step = 0; step < without.Count; step++)
            with[step].Should().Equal(without[step], "step {0}", step);
    }

    [Fact]
    public void Fit_Averaging_ValidatesTheAverageAndShowsItToCallbacks()
    {
        Model model = Build();
        float[]? last = null;
        History history = model.Fit(Digits, Digits, new()
        {
            Epochs = 2, BatchSize = 20, Averaging = new(0.9), Callbacks = [new Recorder { Epoch = (training, _) => last = Values(training.Model) }],
        });
        Values(model).Should().Equal(last);
        model.Evaluate(Digits).Loss.Should().Be(history.Epochs[^1].Validation!.Loss);
    }

    [Fact]
    public void Fit_AveragingAtEveryWidth_GivesTheSameBits()
    {
        if (!SimdLevels.HasFusedMultiplyAdd)
            return;

        float[]? expected = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            Model model = new ModelBuilder(28, 28, 1).AveragePool2D(4).Flatten().Dense(10).Build(1);
            model.Execution = new() { Level = level, ThreadCount = 1 };
            model.Fit(Digits, options: new() { Epochs = 2, BatchSize = 16, Optimizer = new Sgd(0.01f), Averaging = new(0.7) });
            Values(model).Should().Equal(expected ??= Values(model), level.ToString());
        }
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Decay_OutOfRange_IsRefused(double decay)
    {
        Action create = () => _ = new WeightAveraging(decay);
        create.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("decay");
    }

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];

    private static Model Build() => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255)
        .Conv2D(4, 3, stride: 3, useBias: false).BatchNormalization().ReLU().Flatten().Dense(10).Build(seed: 7);
}
