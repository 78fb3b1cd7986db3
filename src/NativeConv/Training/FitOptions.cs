namespace NativeConv;

/// <summary>How to train.</summary>
public sealed class FitOptions
{
    /// <summary>How many times every image is seen.</summary>
    public int Epochs
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(Epochs), value, "There must be at least one epoch.");
    } = 1;

    /// <summary>Images a step; the last step of an epoch may have fewer.</summary>
    public int BatchSize
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(BatchSize), value, "A batch must have at least one image.");
    } = 128;

    /// <summary>
    /// Gradient accumulation: the most images that run at once; a whole step's unless set. A step of more runs in parts whose gradients add up to those of the whole, and
    /// memory is set aside for one part. Batch normalization sees each part alone.
    /// </summary>
    public int? MicroBatchSize
    {
        get;
        init => field = value is null or > 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MicroBatchSize), value, "At least one image must run at once.");
    }

    /// <summary>How parameters are changed; Adam unless set.</summary>
    public Optimizer? Optimizer { get; init; }

    /// <summary>What is minimized; softmax cross-entropy unless set.</summary>
    public Loss? Loss { get; init; }

    /// <summary>The learning rate over the steps; the optimizer's own, constant, unless set.</summary>
    public LearningRateSchedule? Schedule { get; init; }

    /// <summary>How training images are varied, each anew in every epoch; not at all unless set. Images to validate on stay as they are.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Bounds on the gradients; none unless set.</summary>
    public GradientClipping? Clipping { get; init; }

    /// <summary>
    /// Factors on the learning rate by name: of a layer, <c>block1/conv</c>, or of a parameter, <c>block1/conv.bias</c>; * stands for any characters, ? for one. The last that
    /// matches holds, 1 where none does: <c>[("*", 0.1f), ("dense", 1)]</c>. A name that the model lacks is an error.
    /// </summary>
    public IReadOnlyList<(string Pattern, float Factor)> LearningRateFactors { get; init; } = [];

    /// <summary>A teacher to learn from beside the labels; none unless set. Validation measures the loss without it.</summary>
    public Distillation? Distillation { get; init; }

    /// <summary>An average of the weights that is validated and left in the model; none unless set.</summary>
    public WeightAveraging? Averaging { get; init; }

    /// <summary>Decides the order of images, what dropout drops and how images are varied.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether every epoch has its own order; otherwise images come as they are.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Who is told of steps and epochs, and may end the training.</summary>
    public IReadOnlyList<ITrainingCallback> Callbacks { get; init; } = [];

    /// <summary>
    /// Where to go on; from the start unless set. The training ends with the bits that it would have had without the interruption, provided that model, data and
    /// options are those it began with: what differs is refused by name. The number of threads may differ, and so may the number of epochs where the schedule does
    /// not depend on it. The model's weights are replaced.
    /// </summary>
    public TrainingState? Resume { get; init; }

    /// <summary>Who is told of steps.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Ends the training after the step under way; the model keeps what it has learned.</summary>
    public CancellationToken CancellationToken { get; init; }
}
