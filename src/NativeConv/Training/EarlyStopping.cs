namespace NativeConv;

/// <summary>Ends a training that no longer gets better (Prechelt, 1998), and can bring the best weights back.</summary>
public sealed class EarlyStopping : ITrainingCallback
{
    private readonly int _patience;
    private readonly bool _restoreBestWeights;
    private readonly MonitoredFigure _monitor;
    private readonly double _minimumChange;
    private Model? _best;
    private double _bestFigure;
    private int _waited;

    /// <summary>Sets what is watched and for how long.</summary>
    /// <param name="patience">Epochs in a row that may pass without getting better.</param>
    /// <param name="restoreBestWeights">Whether the model ends with the weights of its best epoch.</param>
    /// <param name="monitor">What is watched.</param>
    /// <param name="minimumChange">A smaller change counts as none.</param>
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
    public void OnBegin(Model model)
    {
        _best = null;
        _bestFigure = double.NegativeInfinity;
        _waited = 0;
        BestEpoch = 0;
    }

    /// <inheritdoc/>
    public bool OnEpochEnd(Model model, EpochResult epoch)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(epoch);
        double figure = _monitor == MonitoredFigure.Loss ? -(epoch.Validation?.Loss ?? epoch.Loss) : epoch.Validation?.Accuracy ?? epoch.Accuracy;
        if (BestEpoch == 0 || figure > _bestFigure + _minimumChange)
        {
            _bestFigure = figure;
            _waited = 0;
            BestEpoch = epoch.Epoch;
            if (_restoreBestWeights)
            {
                _best ??= model.Clone();
                model.Store.CopyTo(_best.Store);
            }

            return true;
        }

        return ++_waited < _patience;
    }

    /// <inheritdoc/>
    public void OnEnd(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _best?.Store.CopyTo(model.Store);
    }
}
