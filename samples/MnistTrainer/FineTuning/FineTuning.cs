using NativeConv;

namespace MnistTrainer;

/// <summary>The models, samples and settings of a fine-tuning.</summary>
internal sealed class FineTuning
{
    private readonly FineTuneOptions _options;
    private readonly Model _from;
    private readonly Model? _teacher;

    private FineTuning(FineTuneOptions options, string file, Model from, Model? teacher, TrainTest images, string dataset)
    {
        _options = options;
        _from = from;
        _teacher = teacher;
        File = file;
        Images = images;
        Dataset = dataset;
    }

    /// <summary>The model file that is started from.</summary>
    public string File { get; }

    public TrainTest Images { get; }

    /// <summary>The data set that the images are in the end.</summary>
    public string Dataset { get; }

    /// <summary>Whether the model's own head knows these classes.</summary>
    public bool KeepsHead => !_options.NewHead && _from.ClassNames.SequenceEqual(Images.Train.ClassNames);

    /// <summary>Loads models and images. Names of layers are checked before images are looked for.</summary>
    public static async Task<FineTuning> LoadAsync(FineTuneOptions options, Terminal terminal, CancellationToken cancellationToken)
    {
        string file = RunFolder.FindModel(options.From);
        Model from = Load(file, options), teacher = options.Teacher == null ? from : Load(RunFolder.FindModel(options.Teacher), options);
        from.Freeze(options.Freeze);
        from.Unfreeze(options.Unfreeze);
        (TrainTest images, string dataset) = await options.Data.LoadAsync(terminal, cancellationToken);
        return new(options, file, from, options.Teacher == null ? null : teacher, images, dataset);
    }

    /// <summary>The model to start with: the saved one, with a new head where its own does not know the classes.</summary>
    public Model Start(ulong seed) => KeepsHead ? _from.Clone() : _from.ReplaceHead(Images.Train.ClassNames, seed);

    /// <summary>The same network untrained.</summary>
    public Model Scratch(ulong seed) => Start(seed).CloneUntrained(seed);

    /// <summary>Training images: so many of each class, or all.</summary>
    public Dataset Sample(int? perClass, ulong seed) => perClass is { } count ? Images.Train.TakePerClass(count, seed) : Images.Train;

    /// <summary>The epochs for so many training images.</summary>
    public int Epochs(int images)
    {
        int stepsPerEpoch = ((images - 1) / _options.BatchSize) + 1;
        return Math.Max(_options.Epochs, ((_options.LeastSteps - 1) / stepsPerEpoch) + 1);
    }

    public FitOptions Fit(
        Dataset train, bool fromScratch, ulong seed, CancellationToken cancellationToken, IReadOnlyList<ITrainingCallback>? callbacks = null, TrainingState? resume = null,
        IProgress<TrainingProgress>? progress = null) => new()
        {
            Epochs = Epochs(train.Count),
            BatchSize = _options.BatchSize,
            Optimizer = new Adam(fromScratch ? _options.ScratchLearningRate : _options.LearningRate),
            Schedule = LearningRateSchedule.OneCycle(),
            LearningRateFactors = fromScratch ? [] : _options.RateFactors,
            Distillation = _teacher == null ? null : new(_teacher, _options.Temperature, _options.TeacherWeight),
            Augmentation = _options.Augment ? Recipes.Augmentation : null,
            Seed = seed,
            Callbacks = callbacks ?? [],
            Resume = resume,
            Progress = progress,
            CancellationToken = cancellationToken,
        };

    private static Model Load(string file, FineTuneOptions options)
    {
        var model = Model.Load(file);
        model.Execution = new() { ThreadCount = options.Threads };
        return model;
    }
}
