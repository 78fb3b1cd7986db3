using NativeConv.Graph;
using NativeConv.Kernels;
using NativeConv.Optimizers;
using NativeConv.Tensors;

namespace NativeConv;

/// <summary>
/// Trains a model step by step: forward, loss, backward and the optimizer as one run whose memory is set aside once. Equal steps from equal states give
/// equal bits, whatever the number of threads. Layers that are frozen or unfrozen between two steps are so from the next step on.
/// </summary>
public sealed unsafe class TrainingSession
{
    private readonly Model _model;
    private readonly Loss _loss;
    private readonly Distillation? _distillation;
    private readonly ExecutionOptions _options;
    private readonly ulong _seed;
    private readonly ParameterUpdate _update;
    private readonly AlignedMemory _stateBefore;
    private readonly int _partSize, _mostParts;
    private TrainingExecutor _executor;
    private int _freezing;

    internal TrainingSession(
        Model model, Loss loss, Optimizer optimizer, int batchSize, ulong seed, GradientClipping? clipping, int microBatchSize,
        IReadOnlyList<(string Pattern, float Factor)> learningRateFactors, Distillation? distillation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatchSize);
        _model = model;
        _loss = loss;
        _distillation = distillation;
        _seed = seed;
        _options = model.Execution;
        BatchSize = batchSize;
        _partSize = Math.Min(microBatchSize, batchSize);
        _mostParts = Parts(batchSize);
        _executor = MakeExecutor();
        _update = new(model.Store, optimizer, _options, clipping, learningRateFactors);
        _stateBefore = new(model.Store.State.Length);
    }

    /// <summary>The most images a step takes.</summary>
    public int BatchSize { get; }

    /// <summary>Steps done.</summary>
    public long StepCount { get; internal set; }

    /// <summary>The learning rate of the steps to come; the optimizer's own until it is set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public float LearningRate
    {
        get => _update.LearningRate ?? _update.Optimizer.LearningRate;
        set => _update.LearningRate = value >= 0 && float.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LearningRate), value, "A learning rate must be a finite number that is not negative.");
    }

    internal OptimizerState OptimizerState => _update.State;

    /// <summary>Trains on one batch.</summary>
    /// <param name="images">[n, height, width, channels], n at most <see cref="BatchSize"/>.</param>
    /// <param name="labels">[n], each the number of a class.</param>
    /// <exception cref="ArgumentException">A length is wrong, or a label names no output.</exception>
    /// <exception cref="InvalidOperationException">Every layer is frozen.</exception>
    /// <exception cref="NonFiniteException">The loss or a gradient is not finite. Nothing has been changed.</exception>
    public StepResult Step(ReadOnlySpan<float> images, ReadOnlySpan<int> labels)
    {
        int count = _model.CountImages(images, nameof(images));
        if (count == 0 || count > BatchSize)
            throw new ArgumentException($"A step takes 1 to {BatchSize} images, but got {count}.", nameof(images));

        if (labels.Length != count)
            throw new ArgumentException($"{count} images need {count} labels, but got {labels.Length}.", nameof(labels));

        int classes = _model.OutputShape.Length;
        foreach (int label in labels)
        {
            if ((uint)label >= (uint)classes)
                throw new ArgumentException($"Labels must be 0 to {classes - 1}, but one is {label}.", nameof(labels));
        }

        if (_freezing != _model.Store.FreezingVersion)
            _executor = MakeExecutor();

        _model.Store.State.Span.CopyTo(_stateBefore.Span);
        _model.Store.Gradients.Span.Clear();
        (float mean, int correct) = AddGradients(images, labels);
        if (!_update.TryApply(mean))
        {
            string where = Locate(images, count);
            _stateBefore.Span.CopyTo(_model.Store.State.Span);
            string what = float.IsFinite(mean) ? "a gradient is not finite" : $"the loss is {mean}";
            throw new NonFiniteException($"Step {StepCount + 1} stopped: {what}. {where} The weights are those before the step.");
        }

        StepCount++;
        return new(mean, correct);
    }

    /// <summary>The plan in words: stages, buffers, bytes.</summary>
    public override string ToString() => _executor.Plan.ToString();

    /// <summary>Plans for the layers that are frozen now.</summary>
    private TrainingExecutor MakeExecutor()
    {
        _freezing = _model.Store.FreezingVersion;
        if (_model.FrozenLayers.Count > 0 && _model.TrainableParameterCount == 0)
            throw new InvalidOperationException("There is nothing to train: every layer with parameters is frozen.");

        return new(new(_model.Graph, _model.Store, PlanKind.Training, _partSize, _options.ThreadCount, _options.Level, _loss, _distillation), _seed);
    }

    private int Parts(int images) => ((images - 1) / _partSize) + 1;

    /// <summary>Runs the batch part by part, and adds its mean loss's gradient to the parameters'.</summary>
    private (float Loss, int Correct) AddGradients(ReadOnlySpan<float> images, ReadOnlySpan<int> labels)
    {
        LossProgram loss = _executor.Plan.Loss!;
        loss.StepImages = labels.Length;
        double sum = 0;
        int correct = 0, parts = Parts(labels.Length), length = _model.InputShape.Length;
        for (int part = 0; part < parts; part++)
        {
            (int first, int end) = new Share(part, parts).Of(labels.Length);
            ReadOnlySpan<float> own = images[(first * length)..(end * length)];
            labels[first..end].CopyTo(loss.Labels);
            _distillation?.Teacher.Predict(own, loss.TeacherOutputs[..((end - first) * _model.OutputShape.Length)]);
            _executor.Run(own, end - first, (StepCount * _mostParts) + part);
            sum += (double)loss.Mean(end - first) * (end - first);
            correct += loss.CountRight(end - first);
        }

        return ((float)(sum / labels.Length), correct);
    }

    private string Locate(ReadOnlySpan<float> images, int count)
    {
        int parts = Parts(count), length = _model.InputShape.Length;
        for (int part = 0; part < parts; part++)
        {
            (int first, int end) = new Share(part, parts).Of(count);
            if (NonFinite.Locate(_model, images[(first * length)..(end * length)], end - first, StepCount) is { } node)
                return $"The first layer whose output is not finite is '{node.Name}'.";
        }

        return "Every layer's output is finite.";
    }
}
