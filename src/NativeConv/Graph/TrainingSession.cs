using NativeConv.Graph;
using NativeConv.Optimizers;
using NativeConv.Tensors;

namespace NativeConv;

/// <summary>
/// Trains a model step by step: forward, loss, backward and the optimizer as one run whose memory is set aside once. Equal steps from equal states give
/// equal bits, whatever the number of threads.
/// </summary>
public sealed unsafe class TrainingSession
{
    private readonly Model _model;
    private readonly TrainingExecutor _executor;
    private readonly ParameterUpdate _update;
    private readonly AlignedMemory _stateBefore;

    internal TrainingSession(Model model, Loss loss, Optimizer optimizer, int batchSize, ulong seed, GradientClipping? clipping)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        _model = model;
        BatchSize = batchSize;
        ExecutionOptions options = model.Execution;
        _executor = new(new(model.Graph, model.Store, PlanKind.Training, batchSize, options.ThreadCount, options.Level, loss), seed);
        _update = new(model.Store, optimizer, options.Level, clipping);
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

        LossProgram loss = _executor.Plan.Loss!;
        labels.CopyTo(loss.Labels);
        _model.Store.State.Span.CopyTo(_stateBefore.Span);
        _model.Store.Gradients.Span.Clear();
        _executor.Run(images, count, StepCount);
        float mean = loss.Mean(count);
        if (!_update.TryApply(mean))
        {
            string where = NonFinite.Locate(_model, images, count, StepCount);
            _stateBefore.Span.CopyTo(_model.Store.State.Span);
            string what = float.IsFinite(mean) ? "a gradient is not finite" : $"the loss is {mean}";
            throw new NonFiniteException($"Step {StepCount + 1} stopped: {what}. {where} The weights are those before the step.");
        }

        StepCount++;
        return new(mean, loss.CountRight(count));
    }

    /// <summary>The plan in words: stages, buffers, bytes.</summary>
    public override string ToString() => _executor.Plan.ToString();
}
