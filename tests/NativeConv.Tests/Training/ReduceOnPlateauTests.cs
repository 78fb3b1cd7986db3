using FluentAssertions;
using NativeConv.Tests.Support;
using NativeConv.Training;
using Xunit;

namespace NativeConv.Tests.Training;

/// <summary>Learning rates as PyTorch 1.13's ReduceLROnPlateau gives them in float64 with threshold_mode='abs' and base learning rate 1.</summary>
public sealed class ReduceOnPlateauTests
{
    [Fact]
    public void Loss_ThatStalls_LowersAsPyTorch() =>
        // factor=0.5, patience=2, cooldown=1, min_lr=0.2, threshold=1e-4
        Check(
            new ReduceOnPlateau(0.5, patience: 2, minimumChange: 1e-4, cooldown: 1, minimumScale: 0.2),
            figure => new(1, figure, 0, 0, 0, 0, null),
            [1.0, 0.8, 0.79995, 0.8, 0.81, 0.85, 0.7, 0.71, 0.72, 0.7, 0.69999, 0.75, 0.6, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67],
            [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2]);

    [Fact]
    public void Cooldown_AfterAReduction_DoesNotCountAsPyTorch() =>
        // factor=0.5, patience=1, cooldown=2, threshold=0
        Check(
            new ReduceOnPlateau(0.5, patience: 1, cooldown: 2),
            figure => new(1, figure, 0, 0, 0, 0, null),
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125]);

    [Fact]
    public void Accuracy_ThatStalls_LowersAsPyTorch() =>
        // mode='max', factor=0.1, patience=1, threshold=0.001
        Check(
            new ReduceOnPlateau(0.1, patience: 1, MonitoredFigure.Accuracy, minimumChange: 0.001),
            figure => new(1, 0, figure, 0, 0, 0, null),
            [0.5, 0.6, 0.60001, 0.6, 0.59, 0.61, 0.61, 0.61, 0.61, 0.7, 0.7, 0.7],
            [1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001]);

    [Fact]
    public void NoPatience_AndNoNumber_LowersEachTime() =>
        Check(new ReduceOnPlateau(0.1, patience: 0), figure => new(1, figure, 0, 0, 0, 0, null), [1, 1, double.NaN], [1, 0.1, 0.01]);

    [Fact]
    public void Fit_WithASchedule_MultipliesTheTwo()
    {
        var rates = new List<float>();
        Model model = new ModelBuilder(28, 28, 1).Flatten().Dense(10).Build();
        model.Fit(DrawnDigits.Create(20, 1), options: new()
        {
            Epochs = 4, BatchSize = 10, Optimizer = new Sgd(0), Schedule = LearningRateSchedule.Exponential(0.5),
            Callbacks = [new ReduceOnPlateau(0.1, patience: 0), new Recorder { Step = training => rates.Add(training.LearningRate) }],
        });
        rates.Should().OnlyContain(rate => rate == 0, "the optimizer's own is 0");
        rates.Clear();
        model.Fit(DrawnDigits.Create(20, 1), options: new()
        {
            Epochs = 4, BatchSize = 10, Optimizer = new Sgd(1e-30f), Schedule = LearningRateSchedule.Exponential(0.5),
            Callbacks = [new ReduceOnPlateau(0.1, patience: 0, minimumChange: 100), new Recorder { Step = training => rates.Add(training.LearningRate) }],
        });
        rates.Should().Equal(1e-30f, 1e-30f, 5e-31f, 5e-31f, 2.5e-32f, 2.5e-32f, 1.25e-33f, 1.25e-33f);
    }

    [Fact]
    public void Settings_OutOfRange_AreRefusedByName()
    {
        Refused(() => new(factor: 1), "factor");
        Refused(() => new(patience: -1), "patience");
        Refused(() => new(minimumChange: -1), "minimumChange");
        Refused(() => new(cooldown: -1), "cooldown");
        Refused(() => new(minimumScale: 2), "minimumScale");
    }

    private static void Refused(Func<ReduceOnPlateau> create, string parameter) =>
        create.Should().Throw<ArgumentOutOfRangeException>().WithParameterName(parameter);

    private static void Check(ReduceOnPlateau callback, Func<double, EpochResult> epoch, double[] figures, double[] scales)
    {
        Model model = new ModelBuilder(28, 28, 1).Flatten().Dense(10).Build();
        var training = new TrainingContext(new TrainingRun(model, DrawnDigits.Create(2, 1), null, new()));
        callback.OnBegin(training);
        for (int i = 0; i < figures.Length; i++)
        {
            callback.OnEpochEnd(training, epoch(figures[i])).Should().BeTrue();
            training.LearningRateScale.Should().BeApproximately(scales[i], 1e-12, "after epoch {0}", i + 1);
        }
    }
}
