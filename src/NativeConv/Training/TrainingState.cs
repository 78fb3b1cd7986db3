using NativeConv.Training;

namespace NativeConv;

/// <summary>
/// Where a training stands between two steps: weights, running statistics, the optimizer's moments, averages, the position in the epoch, what each epoch gave and what
/// callbacks remember. Random numbers are a function of the seed and the step, so they need no state of their own. It holds no time, host or thread count: equal
/// trainings have equal states. Immutable.
/// </summary>
public sealed class TrainingState
{
    internal TrainingState(
        TrainingPosition position, IReadOnlyList<EpochResult> epochs, IReadOnlyDictionary<string, string> settings, IReadOnlyDictionary<string, string> properties,
        IReadOnlyDictionary<string, CallbackState> callbacks, IReadOnlyList<string> frozenLayers, IReadOnlyList<StateTensor> tensors)
    {
        Position = position;
        Epochs = epochs;
        Settings = settings;
        Properties = properties;
        Callbacks = callbacks;
        FrozenLayers = frozenLayers;
        Tensors = tensors;
    }

    /// <summary>Steps done.</summary>
    public long Step => Position.Step;

    /// <summary>Why the training ended; null while there is more to do.</summary>
    public StopReason? Reason => Position.Reason;

    /// <summary>The epochs that are finished.</summary>
    public IReadOnlyList<EpochResult> Epochs { get; }

    /// <summary>What must be the same where the training goes on, in words: batch size, seed, optimizer, data, each layer and so on.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>Words of the user's own that were kept with it.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; }

    internal TrainingPosition Position { get; }

    internal IReadOnlyDictionary<string, CallbackState> Callbacks { get; }

    /// <summary>The layers that are frozen now; the settings tell those that were in the beginning.</summary>
    internal IReadOnlyList<string> FrozenLayers { get; }

    internal IReadOnlyList<StateTensor> Tensors { get; }

    /// <summary>Steps done of the epoch under way.</summary>
    internal int Batch => (int)(Step - ((long)Epochs.Count * Position.StepsPerEpoch));
}
