using System.Diagnostics;

namespace NativeConv.Training;

/// <summary>One call of Fit: epochs of shuffled batches through a session, with callbacks between them.</summary>
internal sealed class TrainingRun
{
    private readonly Model _model;
    private readonly Dataset _train;
    private readonly Dataset? _validation;
    private readonly FitOptions _options;
    private readonly Loss _loss;
    private readonly Optimizer _optimizer;
    private readonly TrainingSession _session;
    private readonly ShuffledBatches _batches;
    private readonly BatchInput _input;
    private readonly int[] _labels;
    private readonly int[] _inOrder;

    public TrainingRun(Model model, Dataset train, Dataset? validation, FitOptions options)
    {
        _model = model;
        _train = train;
        _validation = validation;
        _options = options;
        _loss = options.Loss ?? Loss.SoftmaxCrossEntropy();
        _optimizer = options.Optimizer ?? new Adam();
        int batch = Math.Min(options.BatchSize, train.Count);
        _session = model.BeginTraining(_loss, _optimizer, batch, options.Seed, options.Clipping);
        _batches = new(train.Count, batch, options.Seed);
        _input = new(train, batch, options.Augmentation, options.Seed, prefetches: model.Execution.ThreadCount > 1);
        _labels = new int[batch];
        _inOrder = options.Shuffle ? [] : [.. Enumerable.Range(0, train.Count)];
    }

    public History Run()
    {
        var epochs = new List<EpochResult>();
        var reason = StopReason.Finished;
        foreach (ITrainingCallback callback in _options.Callbacks)
            callback.OnBegin(_model);

        try
        {
            for (int epoch = 0; epoch < _options.Epochs && reason == StopReason.Finished; epoch++)
            {
                EpochResult? result = Train(epoch);
                if (result == null)
                {
                    reason = StopReason.Cancelled;
                    break;
                }

                epochs.Add(result);
                foreach (ITrainingCallback callback in _options.Callbacks)
                {
                    if (!callback.OnEpochEnd(_model, result))
                        reason = StopReason.Callback;
                }
            }
        }
        finally
        {
            foreach (ITrainingCallback callback in _options.Callbacks)
                callback.OnEnd(_model);
        }

        return new(epochs, reason, _session.StepCount);
    }

    /// <summary>Trains and validates one epoch; null where it was cancelled.</summary>
    private EpochResult? Train(int epoch)
    {
        _batches.StartEpoch(epoch);
        double loss = 0;
        int seen = 0, correct = 0;
        long steps = (long)_options.Epochs * _batches.Count, start = Stopwatch.GetTimestamp();
        for (int batch = 0; batch < _batches.Count; batch++)
        {
            if (_options.CancellationToken.IsCancellationRequested)
                return null;

            if (_options.Schedule is { } schedule)
                _session.LearningRate = (float)(_optimizer.LearningRate * schedule.Factor(_session.StepCount, steps));

            ReadOnlySpan<int> indices = Indices(batch);
            ReadOnlySpan<float> images = _input.Take(epoch, indices, batch + 1 < _batches.Count ? Indices(batch + 1) : []);
            _train.CopyLabels(indices, _labels);
            StepResult step = _session.Step(images, _labels.AsSpan(0, indices.Length));
            loss += (double)step.Loss * indices.Length;
            correct += step.Correct;
            seen += indices.Length;
            Report(epoch, seen, loss / seen, (double)correct / seen, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Evaluation? validation = null;
        try
        {
            validation = _validation == null ? null : _model.Evaluate(_validation, _loss, _options.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        return new(epoch + 1, loss / seen, (double)correct / seen, _session.LearningRate, seconds, seen / seconds, validation);
    }

    private ReadOnlySpan<int> Indices(int batch) =>
        _options.Shuffle ? _batches[batch] : _inOrder.AsSpan(batch * _session.BatchSize, _batches[batch].Length);

    private void Report(int epoch, int seen, double loss, double accuracy, double seconds)
    {
        if (_options.Progress == null)
            return;

        double rate = seen / seconds;
        double left = ((double)(_options.Epochs - epoch) * _train.Count) - seen;
        _options.Progress.Report(new(
            epoch + 1, _options.Epochs, seen, _train.Count, _session.StepCount, loss, accuracy, rate, TimeSpan.FromSeconds(left / rate)));
    }
}
