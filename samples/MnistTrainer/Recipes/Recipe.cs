using NativeConv;

namespace MnistTrainer;

/// <summary>A network and all that its training needs but images and a seed.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Network">Makes the network, untrained, for images of a kind, from a seed.</param>
internal sealed record Recipe(string Name, Func<ImageKind, ulong, Model> Network)
{
    /// <summary>How many times every image is seen.</summary>
    public int Epochs { get; init; } = 5;

    /// <summary>Images a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>The highest learning rate.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    /// <summary>What the network's channels are multiplied by.</summary>
    public float Width { get; init; } = 1;

    /// <summary>The learning rate over the training; constant where null.</summary>
    public LearningRateSchedule? Schedule { get; init; }

    /// <summary>How training images are varied; not at all where null.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>The average of the weights that is kept in the end; the last weights where null.</summary>
    public WeightAveraging? Averaging { get; init; }

    /// <summary>How gradients change weights.</summary>
    public Optimizer Optimizer => new Adam(LearningRate);

    /// <summary>Makes the network, untrained, for MNIST's images.</summary>
    public Model Build(ulong seed) => Make(ImageKind.Mnist, seed);

    /// <summary>Makes the network, untrained, at its width.</summary>
    public Model Make(ImageKind images, ulong seed) => Network(images with { Width = Width }, seed);

    /// <summary>The same with what a search tried.</summary>
    public Recipe With(SearchSettings settings) => this with { LearningRate = settings.LearningRate, BatchSize = settings.BatchSize, Width = settings.Width };

    /// <summary>How it is trained, from a seed.</summary>
    public FitOptions ToFitOptions(
        ulong seed, IReadOnlyList<ITrainingCallback>? callbacks = null, TrainingState? resume = null, IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) => new()
    {
        Epochs = Epochs,
        BatchSize = BatchSize,
        Optimizer = Optimizer,
        Schedule = Schedule,
        Augmentation = Augmentation,
        Averaging = Averaging,
        Seed = seed,
        Callbacks = callbacks ?? [],
        Resume = resume,
        Progress = progress,
        CancellationToken = cancellationToken,
    };

    /// <summary>The same with what the user set in place of its own.</summary>
    /// <param name="epochs">How many times every image is seen, if set.</param>
    /// <param name="batchSize">Images a step, if set.</param>
    /// <param name="learningRate">The highest learning rate, if set.</param>
    /// <param name="augment">Whether images are varied, if set: as the recipe does it, or as <see cref="Recipes.Augmentation"/> where it does not.</param>
    /// <param name="width">What the network's channels are multiplied by, if set.</param>
    public Recipe With(int? epochs, int? batchSize, float? learningRate, bool? augment, float? width = null) => this with
    {
        Width = width ?? Width,
        Epochs = epochs ?? Epochs,
        BatchSize = batchSize ?? BatchSize,
        LearningRate = learningRate ?? LearningRate,
        Augmentation = augment ?? Augmentation != null ? Augmentation ?? Recipes.Augmentation : null,
    };
}
