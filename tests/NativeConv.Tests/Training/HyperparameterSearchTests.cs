using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Training;

public sealed class HyperparameterSearchTests
{
    [Fact]
    public void Settings_SameSeed_AreTheSameAndWithinTheSpace()
    {
        var space = new SearchSpace { LowestLearningRate = 1e-4f, HighestLearningRate = 1e-1f, BatchSizes = [16, 48], Widths = [0.25f, 3] };
        IReadOnlyList<SearchSettings> settings = new HyperparameterSearch(space, 3000, 1, seed: 5).Settings;
        settings.Select(s => s.Number).Should().Equal(Enumerable.Range(1, 3000));
        settings.Take(20).Should().Equal(new HyperparameterSearch(space, 20, 7, seed: 5).Settings);
        settings.Take(20).Should().NotEqual(new HyperparameterSearch(space, 20, 7, seed: 6).Settings);
        settings.Should().OnlyContain(s => s.LearningRate >= 1e-4f && s.LearningRate <= 1e-1f);

        // A third of the rates in every decade, half of the sizes each, whatever the rate is.
        foreach (float decade in (float[])[1e-4f, 1e-3f, 1e-2f])
        {
            SearchSettings[] within = [.. settings.Where(s => s.LearningRate >= decade && s.LearningRate < 10 * decade)];
            within.Should().HaveCountGreaterThan(900).And.HaveCountLessThan(1100);
            within.Count(s => s.BatchSize == 16).Should().BeInRange(400, 600);
            within.Count(s => s.Width == 3).Should().BeInRange(400, 600);
        }
    }

    /// <summary>Fixed values: what a seed means stays what it is.</summary>
    [Fact]
    public void Settings_Seed42_AreWhatTheyAlwaysWere() => new HyperparameterSearch(new(), 4, 1, seed: 42).Settings.Should().Equal(
        new(1, 0.0112f, 64, 1.5f), new(2, 0.0273f, 64, 2), new(3, 0.0187f, 64, 2), new SearchSettings(4, 0.0107f, 256, 2));

    [Fact]
    public void Settings_SingleValues_AreThose() => new HyperparameterSearch(
        new() { LowestLearningRate = 0.00123456f, HighestLearningRate = 0.00123456f, BatchSizes = [7], Widths = [1.25f] }, 5, 1).Settings
        .Should().OnlyContain(s => s.LearningRate == 0.00123456f && s.BatchSize == 7 && s.Width == 1.25f);

    /// <summary>The quality of a trial is its number turned about; after one epoch trial 9 looks best, after more it is the worst.</summary>
    [Fact]
    public void Run_TwelveTrialsOfEightEpochs_HalvesThreeTimes()
    {
        List<(int Number, int Epochs)> trained = [];
        var told = new List<SearchTrial>();
        IReadOnlyList<SearchTrial> trials = new HyperparameterSearch(new(), 12, 8).Run(
            (settings, epochs) =>
            {
                trained.Add((settings.Number, epochs));
                return Figures(settings.Number == 9 ? (epochs == 1 ? 100 : 0) : 50 + settings.Number, 1);
            },
            new Progress(told));

        trained.Should().Equal(
            [.. Enumerable.Range(1, 12).Select(number => (number, 1)), (9, 2), (12, 2), (11, 2), (10, 2), (8, 2), (7, 2), (12, 4), (11, 4), (10, 4), (12, 8), (11, 8)]);
        told.Select(trial => (trial.Settings.Number, trial.Epochs)).Should().Equal(trained);
        trials.Select(trial => (trial.Settings.Number, trial.Epochs)).Should().Equal(
            (12, 8), (11, 8), (10, 4), (8, 2), (7, 2), (9, 2), (6, 1), (5, 1), (4, 1), (3, 1), (2, 1), (1, 1));
        trials[0].HeldOut!.Correct.Should().Be(62);
    }

    [Fact]
    public void Run_OneEpoch_TrainsEveryTrialOnce()
    {
        int trainings = 0;
        IReadOnlyList<SearchTrial> trials = new HyperparameterSearch(new(), 9, 1).Run((settings, epochs) =>
        {
            trainings++;
            epochs.Should().Be(1);
            return Figures(settings.Number % 4, 1);
        });
        trainings.Should().Be(9);
        trials.Select(trial => trial.Settings.Number).Should().Equal(3, 7, 2, 6, 1, 5, 9, 4, 8);
    }

    [Fact]
    public void Run_EqualAccuracyAndLossesThatAreNotFinite_AreRankedByLossAndLast()
    {
        IReadOnlyList<SearchTrial> trials = new HyperparameterSearch(new(), 4, 1).Run((settings, _) => settings.Number switch
        {
            1 => throw new NonFiniteException("loss"),
            2 => Figures(0, 5),
            3 => Figures(50, 0.3),
            _ => Figures(50, 0.2),
        });
        trials.Select(trial => trial.Settings.Number).Should().Equal(4, 3, 2, 1);
        trials[^1].HeldOut.Should().BeNull();
    }

    [Fact]
    public void Run_Cancelled_Stops()
    {
        using var cancel = new CancellationTokenSource();
        int trainings = 0;
        FluentActions.Invoking(() => new HyperparameterSearch(new(), 4, 1).Run(
            (_, _) =>
            {
                if (++trainings == 2)
                    cancel.Cancel();

                return Figures(1, 1);
            },
            cancellationToken: cancel.Token)).Should().Throw<OperationCanceledException>();
        trainings.Should().Be(2);
    }

    [Fact]
    public void Constructor_BadOptions_Throw()
    {
        FluentActions.Invoking(() => new HyperparameterSearch(new(), 0, 1)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("trials");
        FluentActions.Invoking(() => new HyperparameterSearch(new(), 1, 0)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("epochs");
        FluentActions.Invoking(() => new HyperparameterSearch(new() { LowestLearningRate = 1 }, 1, 1)).Should().Throw<ArgumentException>().WithMessage("*1*0.03*");
        FluentActions.Invoking(() => new SearchSpace { HighestLearningRate = 0 }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new SearchSpace { BatchSizes = [] }).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new SearchSpace { BatchSizes = [8, 0] }).Should().Throw<ArgumentException>().WithMessage("*8, 0*");
        FluentActions.Invoking(() => new SearchSpace { Widths = [1, float.NaN] }).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static Evaluation Figures(int correct, double loss) => new(loss, new long[,] { { correct, 100 - correct }, { 0, 0 } });

    private sealed class Progress(List<SearchTrial> told) : IProgress<SearchTrial>
    {
        public void Report(SearchTrial value) => told.Add(value);
    }
}
