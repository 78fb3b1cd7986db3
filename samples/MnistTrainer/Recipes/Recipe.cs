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

    /// <summary>The learning rate over the training; constant where null.</summary>
    public LearningRateSchedule? Schedule { get; init; }

    /// <summary>How training images are varied; not at all where null.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>The average of the weights that is kept in the end; the last weights where null.</summary>
    public WeightAveraging? Averaging { get; init; }

    /// <summary>How gradients change weights.</summary>
    public Optimizer Optimizer => new Adam(LearningRate);

    /// <summary>Makes the network, untrained, for MNIST's images.</summary>
    public Model Build(ulong seed) => Network(ImageKind.Mnist, seed);

    /// <summary>The same with what the user set in place of its own.</summary>
    /// <param name="epochs">How many times every image is seen, if set.</param>
    /// <param name="batchSize">Images a step, if set.</param>
    /// <param name="learningRate">The highest learning rate, if set.</param>
    /// <param name="augment">Whether images are varied, if set: as the recipe does it, or as <see cref="Recipes.Augmentation"/> where it does not.</param>
    public Recipe With(int? epochs, int? batchSize, float? learningRate, bool? augment) => this with
    {
        Epochs = epochs ?? Epochs,
        BatchSize = batchSize ?? BatchSize,
        LearningRate = learningRate ?? LearningRate,
        Augmentation = augment ?? Augmentation != null ? Augmentation ?? Recipes.Augmentation : null,
    };
}
