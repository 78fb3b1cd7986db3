using NativeConv.Serialization;

namespace NativeConv;

/// <summary>
/// Saves where a training stands, so that it can be resumed after any interruption: at the start, after every epoch, every so many steps and when it ends or is cancelled.
/// Each write is atomic, so there is always a whole file, and an interruption at any instant loses nothing but the steps since the last. Pass
/// <c>TrainingState.Load(path)</c> as <see cref="FitOptions.Resume"/> to go on.
/// </summary>
public sealed class Checkpoint : ITrainingCallback
{
    private readonly string _path;
    private readonly int? _everySteps;
    private readonly string? _bestPath;
    private readonly MonitoredFigure _monitor;
    private (long Step, int Epochs)? _saved;

    /// <summary>Sets where and when.</summary>
    /// <param name="path">The file of the last state, which is replaced.</param>
    /// <param name="everySteps">Steps between two saves inside an epoch; null for none.</param>
    /// <param name="bestPath">A model file that is replaced whenever an epoch is better than all before; null for none.</param>
    /// <param name="monitor">What decides which epoch is better.</param>
    /// <exception cref="ArgumentException">A path is empty, or the steps are not positive.</exception>
    public Checkpoint(string path, int? everySteps = null, string? bestPath = null, MonitoredFigure monitor = MonitoredFigure.Loss)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (bestPath != null)
            ArgumentException.ThrowIfNullOrEmpty(bestPath);

        if (everySteps is { } steps)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps, nameof(everySteps));

        _path = path;
        _everySteps = everySteps;
        _bestPath = bestPath;
        _monitor = monitor;
    }

    /// <summary>Words of your own that the checkpoint keeps.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public void OnBegin(TrainingContext training)
    {
        _saved = null;
        AtomicFile.DeleteLeftovers(_path);
        if (_bestPath != null)
            AtomicFile.DeleteLeftovers(_bestPath);
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(epoch);
        double merit = epoch.Merit(_monitor);
        if (_bestPath != null && training.Epochs.All(other => other.Epoch == epoch.Epoch || merit > other.Merit(_monitor)))
            training.Model.Save(_bestPath);

        return true;
    }

    /// <inheritdoc/>
    public void OnResumePoint(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        bool due = training.IsBetweenEpochs || training.Reason != null || (_everySteps is { } steps && training.Step % steps == 0);
        if (!due || _saved == (training.Step, training.Epochs.Count))
            return;

        training.Capture(Properties).Save(_path);
        _saved = (training.Step, training.Epochs.Count);
    }
}
