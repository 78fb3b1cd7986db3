using System.Globalization;

namespace NativeConv;

/// <summary>
/// Lowers the learning rate when a training no longer gets better (as PyTorch's scheduler of that name, whose patience it shares: of so many epochs in a row
/// that are no better, none is acted on, but the next one is). What it lowers is <see cref="TrainingContext.LearningRateScale"/>, so that a schedule goes on beside it.
/// </summary>
public sealed class ReduceOnPlateau : IResumableCallback
{
    private readonly double _factor, _minimumScale, _minimumChange;
    private readonly int _patience, _cooldown;
    private readonly MonitoredFigure _monitor;
    private double _bestMerit;
    private int _waited, _cooling;

    /// <summary>Sets what is watched and what is done.</summary>
    /// <param name="factor">What a reduction leaves of the learning rate, from above 0 to below 1.</param>
    /// <param name="patience">Epochs in a row that may be no better before the next that is no better reduces; not negative.</param>
    /// <param name="monitor">What is watched.</param>
    /// <param name="minimumChange">A change of no more than this counts as none.</param>
    /// <param name="cooldown">Epochs after a reduction that do not count.</param>
    /// <param name="minimumScale">Below this part of the scheduled learning rate it does not go.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public ReduceOnPlateau(
        double factor = 0.1, int patience = 10, MonitoredFigure monitor = MonitoredFigure.Loss, double minimumChange = 0, int cooldown = 0, double minimumScale = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(patience);
        ArgumentOutOfRangeException.ThrowIfNegative(minimumChange);
        ArgumentOutOfRangeException.ThrowIfNegative(cooldown);
        _factor = factor is > 0 and < 1 ? factor : throw new ArgumentOutOfRangeException(nameof(factor), factor, "The factor must be above 0 and below 1.");
        _minimumScale = minimumScale is >= 0 and <= 1
            ? minimumScale
            : throw new ArgumentOutOfRangeException(nameof(minimumScale), minimumScale, "The smallest scale must be 0 to 1.");
        _patience = patience;
        _monitor = monitor;
        _minimumChange = minimumChange;
        _cooldown = cooldown;
    }

    /// <inheritdoc/>
    public string Name => "reduce_on_plateau";

    /// <inheritdoc/>
    public void OnBegin(TrainingContext training)
    {
        _bestMerit = double.NegativeInfinity;
        _waited = 0;
        _cooling = 0;
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(epoch);
        double merit = epoch.Merit(_monitor);
        if (merit > _bestMerit + _minimumChange)
        {
            _bestMerit = merit;
            _waited = 0;
        }
        else
        {
            _waited++;
        }

        if (_cooling > 0)
        {
            _cooling--;
            _waited = 0;
        }

        if (_waited > _patience)
        {
            training.LearningRateScale = Math.Max(training.LearningRateScale * _factor, Math.Min(training.LearningRateScale, _minimumScale));
            _cooling = _cooldown;
            _waited = 0;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Save(CallbackState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set("best_merit", _bestMerit);
        state.Set("waited", _waited);
        state.Set("cooling", _cooling);
    }

    /// <inheritdoc/>
    public void Restore(TrainingContext training, CallbackState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _bestMerit = state.Number("best_merit");
        _waited = state.Count("waited");
        _cooling = state.Count("cooling");
    }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"ReduceOnPlateau(factor: {_factor}, patience: {_patience}, monitor: {_monitor}, minimumChange: {_minimumChange}, cooldown: {_cooldown}, minimumScale: {_minimumScale})");
}
