using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

public sealed class CheckpointTests : IDisposable
{
    private static readonly Dataset Digits = DrawnDigits.Create(40, seed: 1), Others = DrawnDigits.Create(40, seed: 2);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Checkpoint_EveryThreeSteps_SavesAtTheStartThenAndAtEveryEpochsEnd()
    {
        var steps = new List<long>();
        Fit(new Checkpoint(_folder.File("last"), everySteps: 3), new Recorder
        {
            ResumePoint = _ =>
            {
                var state = TrainingState.Load(_folder.File("last"));
                if (steps.Count == 0 || state.Step != steps[^1])
                    steps.Add(state.Step);
            },
        });
        steps.Should().Equal(0, 3, 4, 6, 8);
        Directory.GetFiles(_folder.Path).Should().ContainSingle("no temporary file stays");
    }

    [Fact]
    public void Checkpoint_OfAFinishedTraining_SaysSo()
    {
        Fit(new Checkpoint(_folder.File("last")) { Properties = new Dictionary<string, string> { ["run"] = "a" } });
        var state = TrainingState.Load(_folder.File("last"));
        state.Reason.Should().Be(StopReason.Finished);
        state.Epochs.Should().HaveCount(2);
        state.Properties["run"].Should().Be("a");
        state.Settings["optimizer"].Should().StartWith("Adam(learningRate: 0.05");
    }

    [Theory]
    [InlineData(MonitoredFigure.Loss)]
    [InlineData(MonitoredFigure.Accuracy)]
    public void Checkpoint_WithABestPath_KeepsTheBestEpochsModel(MonitoredFigure monitor)
    {
        Model model = Network();
        History history = model.Fit(Digits, Others, new()
        {
            Epochs = 10, BatchSize = 10, Optimizer = new Adam(0.3f), Callbacks = [new Checkpoint(_folder.File("last"), bestPath: _folder.File("best"), monitor: monitor)],
        });
        Evaluation[] figures = [.. history.Epochs.Select(epoch => epoch.Validation!)];
        Evaluation best = monitor == MonitoredFigure.Loss ? figures.MinBy(f => f.Loss)! : figures.MaxBy(f => f.Accuracy)!;
        best.Should().NotBeSameAs(figures[^1], "the last epoch must not be the best for this to show anything");
        Model.Load(_folder.File("best")).Evaluate(Others).Loss.Should().Be(best.Loss);
    }

    [Fact]
    public void Checkpoint_LeftoversOfAKilledWriter_AreDeletedAndNothingElse()
    {
        string killed = _folder.File($"last.{Guid.NewGuid():N}.tmp");
        string[] others = [_folder.File("last.tmp"), _folder.File("last.old"), _folder.File($"other.{Guid.NewGuid():N}.tmp"), _folder.File("last.some.tmp")];
        foreach (string file in (string[])[killed, .. others])
            File.WriteAllText(file, "");

        Fit(new Checkpoint(_folder.File("last")));
        File.Exists(killed).Should().BeFalse();
        others.Should().OnlyContain(file => File.Exists(file));
    }

    [Fact]
    public void Checkpoint_WhereNothingCanBeWritten_FailsBeforeTheFirstStep()
    {
        int steps = 0;
        Action fit = () => Fit(new Checkpoint(Path.Combine(_folder.Path, "none", "last")), new Recorder { Step = _ => steps++ });
        fit.Should().Throw<IOException>();
        steps.Should().Be(0);
    }

    [Fact]
    public void Checkpoint_SettingsOutOfRange_AreRefusedByName()
    {
        Action steps = () => _ = new Checkpoint("a", everySteps: 0);
        steps.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("everySteps");
        Action path = () => _ = new Checkpoint("");
        path.Should().Throw<ArgumentException>().WithParameterName("path");
        Action best = () => _ = new Checkpoint("a", bestPath: "");
        best.Should().Throw<ArgumentException>().WithParameterName("bestPath");
    }

    private static void Fit(params ITrainingCallback[] callbacks) =>
        Network().Fit(Digits, options: new() { Epochs = 2, BatchSize = 10, Optimizer = new Adam(0.05f), Callbacks = callbacks });

    private static Model Network() => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255).AveragePool2D(2).Flatten().Dense(10).Build(seed: 1);
}
