using System.Diagnostics;
using NativeConv.Optimizers;

namespace NativeConv.Training;

/// <summary>One call of Fit: epochs of shuffled batches through a session, with callbacks between them.</summary>
internal sealed class TrainingRun
{
    private const string ModelGroup = "model/", MomentGroup = "moment", AverageGroup = "average/";

    private readonly Dataset _train;
    private readonly Dataset? _validation;
    private readonly FitOptions _options;
    private readonly Loss _loss;
    private readonly Optimizer _optimizer;
    private readonly TrainingSession _session;
    private readonly AveragedWeights? _average;
    private readonly ShuffledBatches _batches;
    private readonly Lazy<SortedDictionary<string, string>> _settings;
    private readonly TrainingContext _context;
    private readonly List<EpochResult> _epochs = [];
    private readonly int _batchSize;
    private readonly BatchInput _input;
    private readonly int[] _labels;
    private readonly int[] _inOrder;
    private StopReason? _end;
    private bool _cancelled, _mayCapture;
    private double _lossSum;
    private int _correct, _seenBefore;
    private long _start = Stopwatch.GetTimestamp();

    public TrainingRun(Model model, Dataset train, Dataset? validation, FitOptions options)
    {
        Model = model;
        _train = train;
        _validation = validation;
        _options = options;
        _loss = options.Loss ?? Loss.SoftmaxCrossEntropy();
        _optimizer = options.Optimizer ?? new Adam();
        _batchSize = Math.Min(options.BatchSize, train.Count);
        _session = model.BeginTraining(_loss, _optimizer, _batchSize, options.Seed, options.Clipping, options.MicroBatchSize, options.LearningRateFactors, options.Distillation);
        _average = options.Averaging == null ? null : new(model, options.Averaging);
        _batches = new(train.Count, _batchSize, options.Seed);
        _input = new(train, _batchSize, options.Augmentation, options.Seed, prefetches: model.Execution.ThreadCount > 1);
        _labels = new int[_batchSize];
        _inOrder = options.Shuffle ? [] : [.. Enumerable.Range(0, train.Count)];
        LearningRate = _optimizer.LearningRate;
        IReadOnlyList<string> frozen = model.FrozenLayers;
        _settings = new(() => TrainingSettings.Describe(model, frozen, train, validation, options, _loss, _optimizer));
        _context = new(this);
    }

    public Model Model { get; }

    public IReadOnlyList<EpochResult> Epochs => _epochs;

    /// <summary>Steps done of the epoch under way.</summary>
    public int Batch { get; private set; }

    public long Step => _session.StepCount;

    public StepResult LastStep { get; private set; }

    /// <summary>The learning rate of the last step.</summary>
    public float LearningRate { get; private set; }

    public double LearningRateScale { get; set; } = 1;

    public StopReason? Reason => _end ?? (_cancelled ? StopReason.Cancelled : null);

    /// <summary>Images of the epoch under way that are done.</summary>
    private int Seen => (int)Math.Min((long)Batch * _batchSize, _train.Count);

    public History Run()
    {
        if (_options.Resume is { } state)
            Restore(state);

        int begun = 0;
        try
        {
            for (; begun < _options.Callbacks.Count; begun++)
                _options.Callbacks[begun].OnBegin(_context);

            if (_options.Resume != null)
                RestoreCallbacks(_options.Resume);

            TellResumePoint();
            while (_end == null && !_cancelled)
            {
                if (Train() is { } epoch)
                    Finish(epoch);
                else
                    _cancelled = true;

                _average?.Hide();
                TellResumePoint();
            }
        }
        finally
        {
            _average?.Show();
            TellEnd(0, begun);
        }

        return new([.. _epochs], Reason!.Value, Step);
    }

    public TrainingProgress Progress()
    {
        int seen = Seen;
        double rate = Rate(Stopwatch.GetElapsedTime(_start).TotalSeconds);
        double left = ((double)(_options.Epochs - _epochs.Count) * _train.Count) - seen;
        return new(
            _epochs.Count + 1, _options.Epochs, seen, _train.Count, Step, seen == 0 ? 0 : _lossSum / seen, seen == 0 ? 0 : (double)_correct / seen, rate,
            rate > 0 ? TimeSpan.FromSeconds(left / rate) : TimeSpan.MaxValue);
    }

    public TrainingState Capture(IReadOnlyDictionary<string, string> properties)
    {
        if (!_mayCapture)
            throw new InvalidOperationException("A training can be captured at a resume point alone.");

        var callbacks = new SortedDictionary<string, CallbackState>(StringComparer.Ordinal);
        foreach (IResumableCallback callback in _options.Callbacks.OfType<IResumableCallback>())
        {
            var memory = new CallbackState();
            callback.Save(memory);
            callbacks[callback.Name] = memory;
        }

        return new(
            new(Step, _batches.Count, _lossSum, _correct, LearningRate, LearningRateScale, _end), [.. _epochs], _settings.Value,
            new SortedDictionary<string, string>(properties.ToDictionary(), StringComparer.Ordinal), callbacks, Model.FrozenLayers,
            [.. Tensors().Select(tensor => tensor with { Values = tensor.Values.ToArray() })]);
    }

    /// <summary>Trains what is left of an epoch and validates it; null where it was cancelled.</summary>
    private EpochResult? Train()
    {
        _batches.StartEpoch(_epochs.Count);
        _seenBefore = Seen;
        _start = Stopwatch.GetTimestamp();
        while (Batch < _batches.Count)
        {
            if (_options.CancellationToken.IsCancellationRequested)
                return null;

            TrainBatch();
            if (_options.Progress != null)
                _options.Progress.Report(Progress());

            foreach (ITrainingCallback callback in _options.Callbacks)
                callback.OnStepEnd(_context);

            if (Batch < _batches.Count)
                TellResumePoint();
        }

        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        Evaluation? validation = null;
        try
        {
            _average?.Show();
            validation = _validation == null ? null : Model.Evaluate(_validation, _loss, _options.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        double images = _train.Count;
        return new(
            _epochs.Count + 1, _lossSum / images, _correct / images, LearningRate, seconds, Rate(seconds), validation);
    }

    private ReadOnlySpan<int> Indices(int batch) =>
        _options.Shuffle ? _batches[batch] : _inOrder.AsSpan(batch * _batchSize, _batches[batch].Length);

    /// <summary>Images a second in the epoch under way, as far as this process trained it.</summary>
    private double Rate(double seconds) => Seen == _seenBefore ? 0 : (Seen - _seenBefore) / seconds;

    private void TrainBatch()
    {
        long start = Stopwatch.GetTimestamp();
        double factor = _options.Schedule?.Factor(new(Step, (long)_options.Epochs * _batches.Count, _batches.Count)) ?? 1;
        LearningRate = _session.LearningRate = (float)(_optimizer.LearningRate * factor * LearningRateScale);
        ReadOnlySpan<int> indices = Indices(Batch);
        ReadOnlySpan<float> images = _input.Take(_epochs.Count, indices, Batch + 1 < _batches.Count ? Indices(Batch + 1) : []);
        _train.CopyLabels(indices, _labels);
        LastStep = _session.Step(images, _labels.AsSpan(0, indices.Length));
        _average?.Add(Step);
        _lossSum += (double)LastStep.Loss * indices.Length;
        _correct += LastStep.Correct;
        Batch++;
        TrainingMetrics.Step(indices.Length, LastStep, LearningRate, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Takes an epoch into the history and lets callbacks judge it.</summary>
    private void Finish(EpochResult epoch)
    {
        _epochs.Add(epoch);
        Batch = 0;
        _lossSum = 0;
        _correct = 0;
        TrainingMetrics.Epoch(epoch);
        bool goOn = true;
        foreach (ITrainingCallback callback in _options.Callbacks)
            goOn &= callback.OnEpochEnd(_context, epoch);

        _end = !goOn ? StopReason.Callback : _epochs.Count >= _options.Epochs ? StopReason.Finished : null;
    }

    /// <summary>Tells all callbacks that were told of the beginning, even where one of them throws.</summary>
    private void TellEnd(int first, int end)
    {
        if (first == end)
            return;

        try
        {
            _options.Callbacks[first].OnEnd(_context);
        }
        finally
        {
            TellEnd(first + 1, end);
        }
    }

    private void TellResumePoint()
    {
        _mayCapture = true;
        foreach (ITrainingCallback callback in _options.Callbacks)
            callback.OnResumePoint(_context);

        _mayCapture = false;
    }

    private void Restore(TrainingState state)
    {
        TrainingSettings.RequireEqual(state.Settings, _settings.Value);
        TrainingPosition position = state.Position;
        if (position.StepsPerEpoch != _batches.Count)
            throw new InvalidDataException($"The state to resume has {position.StepsPerEpoch} steps an epoch, but its own settings give {_batches.Count}.");

        if (state.Epochs.Count > _options.Epochs)
            throw new ArgumentException($"The state to resume has {state.Epochs.Count} epochs behind it, more than the {_options.Epochs} asked for.", nameof(FitOptions.Epochs));

        // No weight is touched before all are known to fit.
        Dictionary<string, StateTensor> saved = state.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        StateTensor[] own = [.. Tensors()];
        foreach (StateTensor tensor in own)
        {
            if (!saved.TryGetValue(tensor.Name, out StateTensor? source) || source.Shape != tensor.Shape)
                throw new InvalidDataException($"The state to resume has no tensor '{tensor.Name}' of shape {tensor.Shape}.");
        }

        if (state.FrozenLayers.Except(Model.Nodes.Where(Model.Store.HasParameters).Select(node => node.Name)).FirstOrDefault() is { } unknown)
            throw new InvalidDataException($"The state to resume says that '{unknown}' is frozen, but the model has no such layer with parameters.");

        if (saved.Count != own.Length)
            throw new InvalidDataException($"The state to resume has {saved.Count} tensors, but the training {own.Length}.");

        foreach (StateTensor tensor in own)
            saved[tensor.Name].Values.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsMemory(tensor.Values));

        Model.SetFrozenLayers(state.FrozenLayers);
        _epochs.AddRange(state.Epochs);
        _session.StepCount = position.Step;
        _session.OptimizerState.TimeStep = position.Step;
        Batch = state.Batch;
        _lossSum = position.LossSum;
        _correct = position.Correct;
        LearningRate = position.LearningRate;
        LearningRateScale = position.LearningRateScale;
        _end = position.Reason == StopReason.Callback ? StopReason.Callback : _epochs.Count >= _options.Epochs ? StopReason.Finished : null;
    }

    private void RestoreCallbacks(TrainingState state)
    {
        foreach (IResumableCallback callback in _options.Callbacks.OfType<IResumableCallback>())
        {
            CallbackState memory = state.Callbacks.TryGetValue(callback.Name, out CallbackState? found)
                ? found
                : throw new InvalidDataException($"The state to resume keeps nothing of '{callback.Name}'.");
            callback.Restore(_context, memory);
        }
    }

    /// <summary>The memory itself of all that changes as the training goes on.</summary>
    private IEnumerable<StateTensor> Tensors()
    {
        foreach (Parameter parameter in Model.Parameters)
            yield return new(ModelGroup + parameter.Name, parameter.Shape, parameter.Value.Memory);

        OptimizerState optimizer = _session.OptimizerState;
        for (int kind = 0; kind < optimizer.Kinds; kind++)
        {
            foreach ((int offset, Parameter parameter) in Model.Store.Trained)
                yield return new($"{MomentGroup}{kind + 1}/{parameter.Name}", parameter.Shape, optimizer.Moment(kind, offset, parameter.Shape.Length));
        }

        foreach (Parameter parameter in _average?.Parameters ?? [])
            yield return new(AverageGroup + parameter.Name, parameter.Shape, parameter.Value.Memory);
    }
}
