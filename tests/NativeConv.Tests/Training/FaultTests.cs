using System.Diagnostics;
using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Training;

/// <summary>What goes wrong during a training: each ends in a clear error, or returns, with the last good checkpoint and model on disk.</summary>
public sealed class FaultTests : IDisposable
{
    private const int Images = 23, Batch = 5, StepsPerEpoch = 5, Epochs = 2, Steps = StepsPerEpoch * Epochs;

    private static readonly Dataset Train = Data(1), Held = Data(2);

    private readonly TemporaryFolder _folder = new();

    /// <summary>Every call that a callback gets.</summary>
    public enum Call
    {
        Begin,
        StepEnd,
        EpochEnd,
        ResumePoint,
        End,
        Save,
    }

    public static TheoryData<Call> Calls => [.. Enum.GetValues<Call>()];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fit_CancelledAtAnyStep_LeavesACheckpointThatGoesOnToTheSameBytes()
    {
        byte[] expected = Straight();
        for (int step = 0; step <= Steps; step++)
        {
            using var cancel = new CancellationTokenSource();
            int left = step;
            var stop = new Recorder
            {
                ResumePoint = _ =>
                {
                    if (left == 0)
                        cancel.Cancel();
                },
                Step = _ => left--,
            };
            History history = Fit(Network(1), null, cancel.Token, stop);
            history.Steps.Should().Be(step);
            history.Reason.Should().Be(step == Steps ? StopReason.Finished : StopReason.Cancelled);
            LoadsAt(step);
            Fit(Network(2), TrainingState.Load(_folder.File("state")), default);
            File.ReadAllBytes(_folder.File("state")).Should().Equal(expected, "it was cancelled after {0} steps", step);
        }
    }

    [Fact]
    public void Fit_CancelledInsideAnyCall_ReturnsWithACheckpoint()
    {
        byte[] expected = Straight();
        foreach (Call call in Enum.GetValues<Call>())
        {
            for (int count = 1; count <= Steps; count += 3)
            {
                using var cancel = new CancellationTokenSource();
                History history = Fit(Network(1), null, cancel.Token, new Trap(call, count, cancel.Cancel));
                (count == 1).Should().Imply(cancel.IsCancellationRequested, "{0} is called", call);
                LoadsAt(history.Steps);
                Fit(Network(2), TrainingState.Load(_folder.File("state")), default);
                File.ReadAllBytes(_folder.File("state")).Should().Equal(expected, "it was cancelled in call {0} of {1}", count, call);
            }
        }
    }

    /// <summary>From another thread, at moments spread over the whole training: in a step, between two, while images are held out or a checkpoint is written.</summary>
    [Fact]
    public void Fit_CancelledAtRandomInstants_LeavesACheckpointThatGoesOnToTheSameBytes()
    {
        byte[] expected = Straight();
        var clock = Stopwatch.StartNew();
        Straight();
        TimeSpan straight = clock.Elapsed;
        var random = new System.Random(1);
        int cancelled = 0;
        for (int i = 0; i < 60; i++)
        {
            File.Delete(_folder.File("state"));
            using var cancel = new CancellationTokenSource();
            TimeSpan wait = random.NextDouble() * straight;
            var canceller = new Thread(() =>
            {
                var waited = Stopwatch.StartNew();
                SpinWait.SpinUntil(() => waited.Elapsed >= wait);
                cancel.Cancel();
            });
            canceller.Start();
            History history = Fit(Network(1), null, cancel.Token);
            canceller.Join();
            LoadsAt(history.Steps);
            if (history.Reason == StopReason.Cancelled)
            {
                cancelled++;
                Fit(Network(2), TrainingState.Load(_folder.File("state")), default);
            }

            File.ReadAllBytes(_folder.File("state")).Should().Equal(expected, "it was cancelled after {0} of {1}, in step {2}", wait, straight, history.Steps);
        }

        cancelled.Should().BePositive();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public void Fit_CallbackThatThrows_EndsEveryCallbackAndLeavesTheLastCheckpoint(Call call)
    {
        byte[] expected = Straight();
        foreach (bool first in (bool[])[true, false])
        {
            for (int count = 1; count <= 7; count += 2)
            {
                File.Delete(_folder.File("state"));
                bool sprung = false, thrown = false;
                var trap = new Trap(call, count, () =>
                {
                    sprung = true;
                    throw new NotSupportedException("no, said the callback");
                });
                int begun = 0, ended = 0;
                var witness = new Witness(() => begun++, () => ended++);
                Action fit = () => Fit(Network(1), null, default, first ? [trap, witness] : [witness, trap]);
                try
                {
                    fit();
                }
                catch (NotSupportedException e)
                {
                    e.Message.Should().Be("no, said the callback");
                    thrown = true;
                }

                (count == 1).Should().Imply(sprung, "{0} is called", call);
                thrown.Should().Be(sprung, "what a callback throws comes out");
                ended.Should().Be(begun, "who was told of the beginning is told of the end");
                if (!sprung)
                    continue;

                if (!File.Exists(_folder.File("state")))
                {
                    call.Should().BeOneOf([Call.Begin, Call.ResumePoint, Call.Save], "before the first checkpoint");
                    continue;
                }

                var state = TrainingState.Load(_folder.File("state"));
                Fit(Network(2), state, default);
                File.ReadAllBytes(_folder.File("state")).Should().Equal(expected, "{0} {1} threw", call, count);
            }
        }
    }

    [Fact]
    public void Fit_ImageThatIsNotFinite_StopsAtItsStepWithTheCheckpointBeforeIt()
    {
        float[] values = new float[Images * 16];
        for (int i = 0; i < Images; i++)
            Train.CopyImages([i], values.AsSpan(i * 16, 16));

        values[(13 * 16) + 3] = float.NaN;
        Dataset bad = Dataset.FromFloats(values, Train.Shape, Train.Labels, Train.ClassNames);
        Model model = Network(1);
        Action fit = () => model.Fit(bad, Held, Options(null, default, shuffle: false));
        fit.Should().Throw<NonFiniteException>().WithMessage("Step 3 stopped: *'input'*before the step.");
        LoadsAt(2);
        Values(model).Should().Equal(Values(2), "the model keeps what it knew before");
        Values(model).Should().OnlyContain(value => float.IsFinite(value));
    }

    [Fact]
    public void Fit_LossThatDiverges_KeepsTheLastGoodCheckpoint()
    {
        Model model = Network(1);
        Action fit = () => model.Fit(Train, Held, Options(null, default, optimizer: new Sgd(1e30f)));
        string message = fit.Should().Throw<NonFiniteException>().Which.Message;
        var state = TrainingState.Load(_folder.File("state"));
        message.Should().StartWith($"Step {state.Step + 1} stopped: ");
        Values(model).Should().OnlyContain(value => float.IsFinite(value));
    }

    [Fact]
    public void Fit_FolderThatGoesAway_NamesTheFileAndKeepsTheModel()
    {
        string folder = Directory.CreateDirectory(_folder.File("gone")).FullName;
        Model model = Network(1);
        var recorder = new Recorder
        {
            Step = training =>
            {
                if (training.Step == 4)
                    Directory.Delete(folder, recursive: true);
            },
        };
        Action fit = () => model.Fit(Train, null, new()
        {
            Epochs = Epochs, BatchSize = Batch, Callbacks = [recorder, new Checkpoint(Path.Combine(folder, "state"), everySteps: 1)],
        });
        fit.Should().Throw<IOException>().WithMessage($"'{Path.Combine(folder, "state")}' cannot be written*");
        Values(model).Should().OnlyContain(value => float.IsFinite(value));
    }

    /// <summary>Where not even the system's administrator may create a file.</summary>
    [Fact]
    public void Save_UnwritableFolder_NamesTheFile()
    {
        if (!OperatingSystem.IsLinux())
            return;

        const string Folder = "/sys/kernel";
        Action save = () => Network(1).Save(Folder + "/model.safetensors");
        save.Should().Throw<IOException>().WithMessage($"'{Folder}/model.safetensors' cannot be written*");
        Action fit = () => Network(1).Fit(Train, null, new() { Callbacks = [new Checkpoint(Folder + "/state")] });
        fit.Should().Throw<IOException>().WithMessage($"'{Folder}/state' cannot be written*");
        Action log = () => Network(1).Fit(Train, null, new() { Callbacks = [new CsvLog(Folder + "/log.csv")] });
        log.Should().Throw<IOException>().WithMessage($"'{Folder}/log.csv' cannot be written*");
    }

    [Fact]
    public void Save_NameOfAFolder_KeepsTheFolder()
    {
        Directory.CreateDirectory(_folder.File("model"));
        Action save = () => Network(1).Save(_folder.File("model"));
        save.Should().Throw<IOException>().WithMessage($"'{_folder.File("model")}' cannot be written*");
        Directory.GetFileSystemEntries(_folder.Path).Should().ContainSingle("no temporary file stays");
    }

    /// <summary>A device that is always full: what is written into it is refused when it is flushed.</summary>
    [Fact]
    public void Save_IntoAFullDevice_Fails()
    {
        if (!OperatingSystem.IsLinux())
            return;

        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        Action save = () => Network(1).Save(full);
        save.Should().Throw<IOException>();
    }

    private byte[] Straight()
    {
        Fit(Network(1), null, default);
        byte[] bytes = File.ReadAllBytes(_folder.File("state"));
        File.Delete(_folder.File("state"));
        return bytes;
    }

    private History Fit(Model model, TrainingState? resume, CancellationToken cancellation, params ITrainingCallback[] callbacks)
    {
        // What a checkpoint says of a trap is the same whether it is set or not.
        ITrainingCallback[] idle = callbacks.Any(callback => callback is Trap) ? [] : [new Trap(Call.Begin, 0, () => { })];
        return model.Fit(Train, Held, Options(resume, cancellation, callbacks: [.. callbacks, .. idle]));
    }

    private FitOptions Options(
        TrainingState? resume, CancellationToken cancellation, bool shuffle = true, Optimizer? optimizer = null, params ITrainingCallback[] callbacks) => new()
    {
        Epochs = Epochs,
        BatchSize = Batch,
        Optimizer = optimizer ?? new Adam(0.01f),
        Averaging = new(0.5),
        Shuffle = shuffle,
        Callbacks = [.. callbacks, new Checkpoint(_folder.File("state"), everySteps: 1, bestPath: _folder.File("best"))],
        Resume = resume,
        CancellationToken = cancellation,
    };

    /// <summary>The checkpoint stands at that step, and the best model, once there was an epoch, can be used.</summary>
    private void LoadsAt(long step)
    {
        var state = TrainingState.Load(_folder.File("state"));
        state.Step.Should().Be(step);
        if (state.Epochs.Count > 0)
            Model.Load(_folder.File("best")).Evaluate(Held).Loss.Should().BePositive();
    }

    /// <summary>The weights after so many steps: what a training shows in the end is their average.</summary>
    private static float[] Values(int steps)
    {
        Model model = Network(1);
        using var cancel = new CancellationTokenSource();
        model.Fit(Train, null, new()
        {
            Epochs = Epochs, BatchSize = Batch, Optimizer = new Adam(0.01f), Averaging = new(0.5), Shuffle = false, CancellationToken = cancel.Token, Callbacks =
            [
                new Recorder
                {
                    Step = training =>
                    {
                        if (training.Step == steps)
                            cancel.Cancel();
                    },
                },
            ],
        });
        return Values(model);
    }

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];

    private static Dataset Data(ulong seed) => Dataset.FromFloats(TestData.Uniform(Images * 16, seed), new(4, 4, 1), TestData.Labels(Images, 3, seed), ["a", "b", "c"]);

    private static Model Network(ulong seed)
    {
        Model model = new ModelBuilder(4, 4, 1).Conv2D(3, 3).BatchNormalization().ReLU().Dropout(0.1f).Flatten().Dense(3).Build(seed);
        model.Execution = new() { ThreadCount = 1 };
        return model;
    }

    /// <summary>Does something in one of the calls, the so-manieth of its kind. It has a memory, so that it is asked to save it.</summary>
    private sealed class Trap(Call call, int count, Action act) : IResumableCallback
    {
        private int _left = count;

        public string Name => "trap";

        public void OnBegin(TrainingContext training) => Spring(Call.Begin);

        public void OnStepEnd(TrainingContext training) => Spring(Call.StepEnd);

        public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
        {
            Spring(Call.EpochEnd);
            return true;
        }

        public void OnResumePoint(TrainingContext training) => Spring(Call.ResumePoint);

        public void OnEnd(TrainingContext training) => Spring(Call.End);

        public void Save(CallbackState state) => Spring(Call.Save);

        public void Restore(TrainingContext training, CallbackState state)
        {
        }

        private void Spring(Call which)
        {
            if (which == call && --_left == 0)
                act();
        }
    }

    private sealed class Witness(Action begin, Action end) : ITrainingCallback
    {
        public void OnBegin(TrainingContext training) => begin();

        public void OnEnd(TrainingContext training) => end();
    }
}
