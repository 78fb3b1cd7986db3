using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Training;

/// <summary>Training that is interrupted and resumed ends with the bytes of training straight through.</summary>
public sealed class ResumeTests : IDisposable
{
    private const int Images = 45, Batch = 10, StepsPerEpoch = 5, Epochs = 4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds => ["adam", "sgd", "momentum", "rmsprop", "everything"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Resume_FromAnyStep_EndsWithTheSameBytes(string kind)
    {
        var states = new List<TrainingState>();
        byte[][] expected = Train(kind, null, threads: 1, "straight", new Recorder { ResumePoint = training => states.Add(training.Capture()) });
        states.Should().HaveCount(1 + (Epochs * StepsPerEpoch));
        states.Select(state => state.Step).Should().Equal(Enumerable.Range(0, states.Count).Select(step => (long)step));

        // The first, the last, those around an epoch's end, and some at random.
        var random = new System.Random(kind.Length);
        int last = states.Count - 1;
        int[] chosen = [0, StepsPerEpoch - 1, StepsPerEpoch, StepsPerEpoch + 1, last - 1, last, random.Next(last), random.Next(last), random.Next(last)];
        foreach (int step in chosen)
        {
            states[step].Save(_folder.File("state"));
            byte[][] actual = Train(kind, TrainingState.Load(_folder.File("state")), threads: 1 + (step % 3), "resumed");
            Same(actual, expected, $"{kind} from step {step}");
        }
    }

    [Fact]
    public void Resume_AfterManyCancellations_EndsWithTheSameBytes()
    {
        byte[][] expected = Train("everything", null, threads: 2, "straight");
        var random = new System.Random(5);
        TrainingState? state = null;
        for (int stops = 0; state?.Reason == null; stops++)
        {
            stops.Should().BeLessThan(40);
            using var cancel = new CancellationTokenSource();
            int left = random.Next(1, 4);
            var stop = new Recorder
            {
                Step = _ =>
                {
                    if (--left == 0)
                        cancel.Cancel();
                },
            };
            byte[][] actual = Train("everything", state, threads: 1 + (stops % 2), "stopped", stop, cancel.Token);
            state = TrainingState.Load(_folder.File("stopped"));
            if (state.Reason != null)
                Same(actual, expected, $"{stops} cancellations");
        }
    }

    [Fact]
    public void Resume_AtAnotherWidth_EndsWithTheSameBytes()
    {
        if (!SimdLevels.HasFusedMultiplyAdd)
            return;

        byte[][] expected = Train("everything", null, threads: 1, "straight");
        TrainingState? middle = null;
        Train("everything", null, threads: 1, "half", new Recorder { ResumePoint = training => middle = training.Step == 7 ? training.Capture() : middle });
        Same(Train("everything", middle, threads: 1, "other", level: SimdLevel.Vector128), expected, "128 bits");
    }

    [Fact]
    public void Resume_CancelledInValidation_ValidatesFirst()
    {
        byte[][] expected = Train("adam", null, threads: 1, "straight");
        using var cancel = new CancellationTokenSource();
        var stop = new Recorder
        {
            Step = training =>
            {
                if (training.Step == 2 * StepsPerEpoch)
                    cancel.Cancel();
            },
        };
        Train("adam", null, threads: 1, "stopped", stop, cancel.Token);
        var state = TrainingState.Load(_folder.File("stopped"));
        state.Step.Should().Be(2 * StepsPerEpoch);
        state.Epochs.Should().HaveCount(1, "the second was not validated");
        Same(Train("adam", state, threads: 1, "resumed"), expected, "cancelled in validation");
    }

    [Fact]
    public void Resume_OfAFinishedTraining_TrainsNoStepAndGivesItsModel()
    {
        byte[][] expected = Train("everything", null, threads: 1, "straight");
        Same(
            Train("everything", TrainingState.Load(_folder.File("straight")), threads: 1, "again", new Recorder { Step = _ => throw new InvalidOperationException("a step") }),
            expected, "nothing to do");
    }

    [Fact]
    public void Resume_AfterEarlyStopping_StaysStoppedWithTheBestWeights()
    {
        Model model = Network(1), again = Network(2);
        var stop = new EarlyStopping(patience: 2, restoreBestWeights: true);
        FitOptions options = new() { Epochs = 40, BatchSize = Batch, Optimizer = new Adam(0.05f), Callbacks = [stop, new Checkpoint(_folder.File("state"))] };
        History history = model.Fit(Digits(0), Digits(1), options);
        history.Reason.Should().Be(StopReason.Callback);
        var state = TrainingState.Load(_folder.File("state"));
        state.Reason.Should().Be(StopReason.Callback);
        var second = new EarlyStopping(patience: 2, restoreBestWeights: true);
        History resumed = again.Fit(Digits(0), Digits(1), new() { Epochs = 40, BatchSize = Batch, Optimizer = new Adam(0.05f), Callbacks = [second], Resume = state });
        (resumed.Reason, resumed.Steps, second.BestEpoch).Should().Be((StopReason.Callback, history.Steps, stop.BestEpoch));
        Values(again).Should().Equal(Values(model));
        again.Evaluate(Digits(1)).Loss.Should().Be(history.Epochs[stop.BestEpoch - 1].Validation!.Loss);
    }

    [Fact]
    public void Resume_WithMoreEpochs_EndsWithTheBytesOfThatMany()
    {
        FitOptions Options(int epochs, TrainingState? state) => new()
        {
            Epochs = epochs, BatchSize = Batch, Schedule = LearningRateSchedule.Step(2), Callbacks = [new Checkpoint(_folder.File("state"))], Resume = state,
        };
        Model straight = Network(1);
        straight.Fit(Digits(0), null, Options(5, null));
        byte[] expected = File.ReadAllBytes(_folder.File("state"));
        Network(1).Fit(Digits(0), null, Options(2, null));
        Model resumed = Network(3);
        History history = resumed.Fit(Digits(0), null, Options(5, TrainingState.Load(_folder.File("state"))));
        history.Epochs.Select(epoch => epoch.Epoch).Should().Equal(1, 2, 3, 4, 5);
        Values(resumed).Should().Equal(Values(straight));
        File.ReadAllBytes(_folder.File("state")).Should().Equal(expected);
        Action fewer = () => Network(1).Fit(Digits(0), null, Options(4, TrainingState.Load(_folder.File("state"))));
        fewer.Should().Throw<ArgumentException>().WithMessage("*5 epochs*4 asked for*");
    }

    [Fact]
    public void Resume_OfAnotherTraining_NamesWhatDiffersAndChangesNothing()
    {
        Schedule schedule = new(0.5);
        FitOptions own = new() { Epochs = 2, BatchSize = Batch, Optimizer = new Adam(0.01f), Callbacks = [new EarlyStopping(3)], Schedule = schedule };
        TrainingState? state = null;
        Network(1).Fit(Digits(0), Digits(1), new()
        {
            Epochs = 2, BatchSize = Batch, Optimizer = new Adam(0.01f), Schedule = schedule,
            Callbacks = [new EarlyStopping(3), new Recorder { ResumePoint = training => state = training.Step == 3 ? training.Capture() : state }],
        });

        void Refused(string what, FitOptions options, Dataset? train = null, Dataset? validation = null, Model? model = null)
        {
            model ??= Network(4);
            float[] before = Values(model);
            Action fit = () => model.Fit(train ?? Digits(0), validation ?? Digits(1), options);
            fit.Should().Throw<ArgumentException>().WithMessage($"The state to resume belongs to another training: *{what}*");
            Values(model).Should().Equal(before);
        }

        FitOptions With(
            int batch = Batch, Optimizer? optimizer = null, Loss? loss = null, LearningRateSchedule? other = null, ulong seed = 0, bool shuffle = true,
            GradientClipping? clipping = null, WeightAveraging? averaging = null, int? micro = null, int patience = 3, int epochs = 2, bool stopping = true,
            Augmentation? augmentation = null, Distillation? distillation = null, IReadOnlyList<(string, float)>? factors = null) => new()
            {
                Distillation = distillation, LearningRateFactors = factors ?? [],
                Epochs = epochs, BatchSize = batch, Optimizer = optimizer ?? own.Optimizer, Loss = loss, Schedule = other ?? schedule, Seed = seed, Shuffle = shuffle,
                Clipping = clipping, Averaging = averaging, MicroBatchSize = micro, Augmentation = augmentation,
                Callbacks = stopping ? [new EarlyStopping(patience)] : [], Resume = state,
            };

        Refused("batch size is 10 there, but 11 here", With(batch: 11));
        Refused("micro batch size is none there, but 5 here", With(micro: 5));
        Refused("optimizer is Adam(learningRate: 0.01*there, but AdamW(", With(optimizer: new AdamW(0.01f)));
        Refused("optimizer is *0.01*0.02", With(optimizer: new Adam(0.02f)));
        Refused("loss is *labelSmoothing: 0,*labelSmoothing: 0.1", With(loss: Loss.SoftmaxCrossEntropy(0.1f)));
        Refused("loss is *classWeights: []*classWeights: [1, 1", With(loss: Loss.SoftmaxCrossEntropy(0, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])));
        Refused("schedule is half*there, but Step(", With(other: LearningRateSchedule.Step(1)));
        Refused("seed is 0 there, but 1 here", With(seed: 1));
        Refused("shuffle is true there, but false here", With(shuffle: false));
        Refused("clipping is none there, but ByNorm(2) here", With(clipping: GradientClipping.ByNorm(2)));
        Refused("averaging is none there, but WeightAveraging(decay: 0.9", With(averaging: new(0.9)));
        Refused("augmentation is none there, but *shift 1,*here", With(augmentation: new() { Shift = 1 }));
        Refused("distillation is missing there, but Distillation(temperature: 4, weight: 0.9) from a teacher of SHA-256 *here", With(distillation: new(Network(8))));
        Refused("learning rate factors is missing there, but *: 0.5, dense: 2 here", With(factors: [("*", 0.5f), ("dense", 2)]));
        Refused("callback early_stopping is *patience: 3*patience: 4", With(patience: 4));
        Refused("callback early_stopping is *there, but missing here", With(stopping: false));
        Refused("epochs is 2 there, but 3 here", With(epochs: 3));
        Refused("training data is 45 images*there, but 44 images", With(), train: Digits(0).Take(44));
        Refused("training data is *SHA-256*there*SHA-256", With(), train: Digits(1));
        Refused("validation data is *SHA-256*there*SHA-256", With(), validation: Digits(2));
        Refused("layer conv2d is *filters: 4*there*filters: 5", With(), model: Network(4, filters: 5));
        Network(4).Fit(Digits(0), Digits(1), With()).Epochs.Should().HaveCount(2, "what is equal is taken");
    }

    /// <summary>Layers are unfrozen one after the other: what is frozen comes back with the state.</summary>
    [Fact]
    public void Resume_OfAPartlyFrozenTraining_EndsWithTheSameBytes()
    {
        byte[][] Run(TrainingState? state, string name, List<TrainingState>? states = null)
        {
            Model model = EveryLayerOnDigits(state == null ? 1ul : 9);
            model.Freeze("conv2d", "*normalization*", "*pointwise");
            model.Fit(Digits(0), Digits(1), new()
            {
                Epochs = 3, BatchSize = Batch, Optimizer = new AdamW(0.02f), Resume = state, Averaging = new(0.9),
                LearningRateFactors = [("*", 0.5f), ("dense", 1)], Distillation = new(Network(5)),
                Callbacks =
                [
                    new Recorder
                    {
                        Epoch = (training, epoch) => training.Model.Unfreeze(epoch.Epoch == 1 ? "*pointwise" : "*normalization"),
                        ResumePoint = training => states?.Add(training.Capture()),
                    },
                    new Checkpoint(_folder.File(name)),
                ],
            });
            model.FrozenLayers.Should().NotContain("batch_normalization").And.Contain("conv2d");
            model.Save(_folder.File(name + ".model"));
            return [Read(_folder.File(name + ".model")), Read(_folder.File(name)), [], []];
        }

        List<TrainingState> states = [];
        byte[][] expected = Run(null, "straight", states);
        foreach (TrainingState state in states)
        {
            state.Save(_folder.File("state"));
            Same(Run(TrainingState.Load(_folder.File("state")), "resumed"), expected, $"from step {state.Step}");
        }
    }

    [Fact]
    public void Resume_WithOtherLayersFrozen_IsRefused()
    {
        void Refused(string? there, string? here, string message)
        {
            TrainingState? state = null;
            Model first = Network(1), second = Network(2);
            if (there != null)
                first.Freeze(there);

            if (here != null)
                second.Freeze(here);

            first.Fit(Digits(0), null, new() { BatchSize = Batch, Callbacks = [new Recorder { ResumePoint = training => state = training.Capture() }] });
            Action resume = () => second.Fit(Digits(0), null, new() { BatchSize = Batch, Resume = state });
            resume.Should().Throw<ArgumentException>().WithMessage(message);
            second.FrozenLayers.Should().Equal(here == null ? [] : [here]);
        }

        Refused("conv2d", null, "*frozen layers is conv2d there, but missing here*");
        Refused(null, "dense", "*frozen layers is missing there, but dense here*");
        Refused("conv2d", "dense", "*frozen layers is conv2d there, but dense here*");
    }

    [Fact]
    public void State_OfATrainingThatFreezesNothing_IsAsBeforeThereWasFreezing()
    {
        TrainingState? state = null;
        Network(1).Fit(Digits(0), null, new() { BatchSize = Batch, Callbacks = [new Recorder { ResumePoint = training => state = training.Capture() }] });
        NativeConv.Serialization.TrainingStateJson.Write(state!).Should().NotContain("frozen");
    }

    [Fact]
    public void Resume_WithACallbackOfYourOwn_GivesItsMemoryBack()
    {
        int Run(TrainingState? state, Counter counter, List<TrainingState> states)
        {
            Network(1).Fit(Digits(0), null, new()
            {
                Epochs = 3, BatchSize = Batch, Callbacks = [counter, new Recorder { ResumePoint = training => states.Add(training.Capture()) }], Resume = state,
            });
            return counter.Steps;
        }

        List<TrainingState> states = [];
        Run(null, new(), states).Should().Be(3 * StepsPerEpoch);
        states[7].Save(_folder.File("state"));
        Run(TrainingState.Load(_folder.File("state")), new(), []).Should().Be(3 * StepsPerEpoch);
    }

    [Fact]
    public void Capture_BetweenResumePoints_IsRefused()
    {
        Action fit = () => Network(1).Fit(Digits(0), null, new() { BatchSize = Batch, Callbacks = [new Recorder { Step = training => training.Capture() }] });
        fit.Should().Throw<InvalidOperationException>().WithMessage("*resume point*");
    }

    [Fact]
    public void Callbacks_OfTheSameName_AreRefused()
    {
        Action fit = () => Network(1).Fit(Digits(0), null, new()
        {
            BatchSize = Batch, Callbacks = [new EarlyStopping(1), new EarlyStopping(2), new Checkpoint(_folder.File("state"))],
        });
        fit.Should().Throw<ArgumentException>().WithMessage("*'early_stopping'*");
    }

    /// <summary>Trains to the end, and gives the bytes of the model, of the last checkpoint, of the history and of the best model.</summary>
    private byte[][] Train(
        string kind, TrainingState? state, int threads, string name, Recorder? recorder = null, CancellationToken cancellation = default, SimdLevel? level = null)
    {
        bool everything = kind == "everything";
        Model model = everything ? EveryLayerOnDigits(state == null ? 1ul : 9) : Network(state == null ? 1ul : 9);
        model.Execution = new() { ThreadCount = threads, Level = level ?? SimdLevels.Default };
        ITrainingCallback[] callbacks =
        [
            .. everything ? (ITrainingCallback[])[new EarlyStopping(20, restoreBestWeights: true), new ReduceOnPlateau(0.5, patience: 0, minimumChange: 10)] : [],
            new Checkpoint(_folder.File(name), bestPath: _folder.File(name + ".best")), new CsvLog(_folder.File(name + ".csv")),
        ];
        model.Fit(Digits(0), everything || kind == "adam" ? Digits(1) : null, new()
        {
            Epochs = Epochs,
            BatchSize = Batch,
            MicroBatchSize = everything ? 4 : null,
            Optimizer = kind switch
            {
                "adam" => new Adam(0.01f),
                "sgd" => new Sgd(0.1f),
                "momentum" => new Sgd(0.05f, momentum: 0.9f, nesterov: true),
                "rmsprop" => new RmsProp(0.01f),
                _ => new AdamW(0.02f),
            },
            Loss = everything ? Loss.SoftmaxCrossEntropy(0.1f, [1, 2, 1, 1, 1, 1, 0.5f, 1, 1, 1]) : null,
            Schedule = everything ? LearningRateSchedule.OneCycle() : null,
            Clipping = everything ? GradientClipping.ByNorm(1) : null,
            Averaging = everything ? new(0.9) : null,
            Augmentation = everything ? new() { Shift = 2, Rotation = 10 } : null,
            Seed = 3,
            Callbacks = recorder == null ? callbacks : [recorder, .. callbacks],
            Resume = state,
            CancellationToken = cancellation,
        });
        model.Save(_folder.File(name + ".model"));
        return [.. ((string[])[name + ".model", name, name + ".csv", name + ".best"]).Select(file => Read(_folder.File(file)))];
    }

    private static byte[] Read(string file) => File.Exists(file) ? File.ReadAllBytes(file) : [];

    private static void Same(byte[][] actual, byte[][] expected, string what)
    {
        string[] files = ["model", "checkpoint", "history", "best model"];
        for (int i = 0; i < files.Length; i++)
        {
            // A training resumed behind its best epoch has no reason to write that model again.
            if (files[i] == "best model" && actual[i].Length == 0)
                continue;

            actual[i].AsSpan().SequenceEqual(expected[i]).Should().BeTrue("{0} should give the same {1}", what, files[i]);
        }
    }

    private static Dataset Digits(int seed) => DrawnDigits.Create(Images, (ulong)seed);

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];

    private static Model Network(ulong seed, int filters = 4) => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255)
        .Conv2D(filters, 3, stride: 3, activation: Activation.ReLU).Flatten().Dense(10).Build(seed);

    /// <summary>Batch normalization, dropout, a branch.</summary>
    private static Model EveryLayerOnDigits(ulong seed)
    {
        ModelBuilder builder = new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255).Conv2D(4, 3, stride: 2, useBias: false).BatchNormalization().ReLU();
        Node start = builder.Current;
        builder.SeparableConv2D(4, 3, activation: Activation.ReLU, batchNormalization: true).Add(start);
        return builder.MaxPool2D(2).Dropout(0.2f).Flatten().Dense(10).Build(seed);
    }

    /// <summary>A schedule from outside, whose settings its words tell.</summary>
    private sealed class Schedule(double factor) : LearningRateSchedule
    {
        public override double Factor(SchedulePosition position) => factor;

        public override string ToString() => "half";
    }

    private sealed class Counter : IResumableCallback
    {
        private float[] _memory = [0];

        public int Steps => (int)_memory[0];

        public string Name => "counter";

        public void OnBegin(TrainingContext training) => _memory = [0];

        public void OnStepEnd(TrainingContext training) => _memory[0]++;

        public void Save(CallbackState state)
        {
            state.Set("steps", _memory);
            state.Set("infinity", double.NegativeInfinity);
        }

        public void Restore(TrainingContext training, CallbackState state)
        {
            state.CopyTo("steps", _memory);
            state.Number("infinity").Should().Be(double.NegativeInfinity);
        }
    }
}
