using System.Globalization;

namespace NativeConv;

/// <summary>Ends a training that no longer gets better (Prechelt, 1998), and can bring the best weights back.</summary>
public sealed class EarlyStopping : IResumableCallback
{
    private readonly int _patience;
    private readonly bool _restoreBestWeights;
    private readonly MonitoredFigure _monitor;
    private readonly double _minimumChange;
    private Model? _best;
    private double _bestMerit;
    private int _waited;

    /// <summary>Sets what is watched and for how long.</summary>
    /// <param name="patience">Epochs in a row without getting better after which it ends.</param>
    /// <param name="restoreBestWeights">Whether the model ends with the weights of its best epoch.</param>
    /// <param name="monitor">What is watched.</param>
    /// <param name="minimumChange">A change of no more than this counts as none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The patience is not positive, or the change negative.</exception>
    public EarlyStopping(int patience, bool restoreBestWeights = false, MonitoredFigure monitor = MonitoredFigure.Loss, double minimumChange = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patience);
        ArgumentOutOfRangeException.ThrowIfNegative(minimumChange);
        _patience = patience;
        _restoreBestWeights = restoreBestWeights;
        _monitor = monitor;
        _minimumChange = minimumChange;
    }

    /// <summary>The best epoch, from 1; 0 before the first.</summary>
    public int BestEpoch { get; private set; }

    /// <inheritdoc/>
    public string Name => "early_stopping";

    /// <inheritdoc/>
    public void OnBegin(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        _best = null;
        _bestMerit = double.NegativeInfinity;
        _waited = 0;
        BestEpoch = 0;
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(epoch);
        double merit = epoch.Merit(_monitor);
        if (BestEpoch == 0 || merit > _bestMerit + _minimumChange)
        {
            _bestMerit = merit;
            _waited = 0;
            BestEpoch = epoch.Epoch;
            if (_restoreBestWeights)
            {
                _best ??= training.Model.Clone();
                training.Model.Store.CopyTo(_best.Store);
            }

            return true;
        }

        return ++_waited < _patience;
    }

    /// <inheritdoc/>
    public void OnEnd(TrainingContext training)
    {
        ArgumentNullException.ThrowIfNull(training);
        _best?.Store.CopyTo(training.Model.Store);
    }

    /// <inheritdoc/>
    public void Save(CallbackState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set("best_epoch", BestEpoch);
        state.Set("best_merit", _bestMerit);
        state.Set("waited", _waited);
        foreach (Parameter parameter in _best?.Parameters ?? [])
            state.Set(parameter.Name, parameter.Value.Span);
    }

    /// <inheritdoc/>
    public void Restore(TrainingContext training, CallbackState state)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(state);
        BestEpoch = state.Count("best_epoch");
        _bestMerit = state.Number("best_merit");
        _waited = state.Count("waited");
        if (BestEpoch == 0 || !_restoreBestWeights)
            return;

        _best = training.Model.Clone();
        foreach (Parameter parameter in _best.Parameters)
            state.CopyTo(parameter.Name, parameter.Value.Span);
    }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"EarlyStopping(patience: {_patience}, restoreBestWeights: {(_restoreBestWeights ? "true" : "false")}, monitor: {_monitor}, minimumChange: {_minimumChange})");
}
