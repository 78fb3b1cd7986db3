using NativeConv.Training;

namespace NativeConv;

/// <summary>A training as its callbacks see it. What it says changes as the training goes on.</summary>
public sealed class TrainingContext
{
    private readonly TrainingRun _run;

    internal TrainingContext(TrainingRun run)
    {
        _run = run;
    }

    /// <summary>What is trained. While an epoch's end is told and at the end it holds the average of the weights, where one is taken.</summary>
    public Model Model => _run.Model;

    /// <summary>The epochs that are finished.</summary>
    public IReadOnlyList<EpochResult> Epochs => _run.Epochs;

    /// <summary>Steps done since the start.</summary>
    public long Step => _run.Step;

    /// <summary>Whether no epoch is under way.</summary>
    public bool IsBetweenEpochs => _run.Batch == 0;

    /// <summary>Where the training stands in its epoch.</summary>
    public TrainingProgress Progress => _run.Progress();

    /// <summary>What the last step gave; zeros before the first of this process.</summary>
    public StepResult LastStep => _run.LastStep;

    /// <summary>The learning rate of the last step.</summary>
    public float LearningRate => _run.LearningRate;

    /// <summary>A factor on the scheduled learning rate of the steps to come, 1 unless a callback sets it. A checkpoint keeps it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double LearningRateScale
    {
        get => _run.LearningRateScale;
        set => _run.LearningRateScale = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LearningRateScale), value, "A scale must be a finite number that is not negative.");
    }

    /// <summary>Why the training ends; null while it goes on.</summary>
    public StopReason? Reason => _run.Reason;

    /// <summary>Copies all that the training needs to go on from here; only at a resume point.</summary>
    /// <param name="properties">Words of your own to keep with it.</param>
    /// <exception cref="InvalidOperationException">This is no resume point.</exception>
    public TrainingState Capture(IReadOnlyDictionary<string, string>? properties = null) => _run.Capture(properties ?? new Dictionary<string, string>());
}
