using NativeConv.Graph;

namespace NativeConv;

/// <summary>The training loop by hand: zero the gradients, forward, loss, backward, step.</summary>
public sealed unsafe partial class Model
{
    private TrainingExecutor? _byHand;
    private ParameterUpdate? _update;
    private ExecutionOptions? _byHandOptions;
    private int _forwardCount, _byHandFreezing;
    private long _byHandStep;

    /// <summary>Starts a session that trains this model with its own memory set aside for batches of a size.</summary>
    /// <param name="loss">What is minimized.</param>
    /// <param name="optimizer">How parameters are changed.</param>
    /// <param name="batchSize">The most images a step takes.</param>
    /// <param name="seed">Decides what is random in a step: dropout.</param>
    /// <param name="clipping">Bounds on the gradients; null for none.</param>
    /// <param name="microBatchSize">
    /// The most images that run at once; null for a step's. A step of more runs in parts of nearly equal size, whose gradients add up to those of the whole (but batch
    /// normalization sees each part alone), and memory is set aside for one part.
    /// </param>
    /// <param name="learningRateFactors">As <see cref="FitOptions.LearningRateFactors"/>.</param>
    /// <param name="distillation">A teacher to learn from beside the labels; null for none.</param>
    /// <exception cref="ArgumentException">
    /// A size is not positive, the loss or the teacher is not made for the model, or a learning rate factor is negative, not finite or for a name that the model lacks.
    /// </exception>
    /// <exception cref="InvalidOperationException">Every layer is frozen.</exception>
    public TrainingSession BeginTraining(
        Loss loss, Optimizer optimizer, int batchSize, ulong seed = 0, GradientClipping? clipping = null, int? microBatchSize = null,
        IReadOnlyList<(string Pattern, float Factor)>? learningRateFactors = null, Distillation? distillation = null)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(optimizer);
        loss.RequireClasses(OutputShape.Length);
        distillation?.RequireStudent(this);
        return new(this, loss, optimizer, batchSize, seed, clipping, microBatchSize ?? batchSize, learningRateFactors ?? [], distillation);
    }

    /// <summary>Sets every gradient to zero.</summary>
    public void ZeroGradients() => Store.Gradients.Span.Clear();

    /// <summary>Runs a batch forward as training does: dropout drops, normalization that is not frozen uses the batch and moves its running statistics.</summary>
    /// <param name="images">[n, height, width, channels].</param>
    /// <param name="outputs">[n, outputs], overwritten.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void Forward(ReadOnlySpan<float> images, Span<float> outputs)
    {
        int count = CountImages(images, nameof(images));
        if (count == 0 || outputs.Length != (long)count * OutputShape.Length)
            throw new ArgumentException($"{count} images give {count} x {OutputShape.Length} values, but there is room for {outputs.Length}.", nameof(outputs));

        if (_byHand == null || _byHand.Plan.BatchSize < count || _byHandOptions != Execution || _byHandFreezing != Store.FreezingVersion)
        {
            _byHandOptions = Execution;
            _byHandFreezing = Store.FreezingVersion;
            _byHand = new(new(Graph, Store, PlanKind.ByHand, count, Execution.ThreadCount, Execution.Level, null), seed: 0);
        }

        _byHand.Forward(images, count, _byHandStep++);
        _forwardCount = count;
        new ReadOnlySpan<float>(_byHand.Plan.Output(Graph.Output), outputs.Length).CopyTo(outputs);
        GC.KeepAlive(_byHand);
    }

    /// <summary>Runs the batch that went forward last backward, and adds to the gradient of every parameter that is not frozen.</summary>
    /// <param name="outputGradients">The loss's gradient by the outputs, [n, outputs].</param>
    /// <exception cref="InvalidOperationException">Nothing went forward since the last backward, or since a layer was frozen or unfrozen.</exception>
    /// <exception cref="ArgumentException">The length is wrong.</exception>
    public void Backward(ReadOnlySpan<float> outputGradients)
    {
        if (_byHand == null || _forwardCount == 0)
            throw new InvalidOperationException("Backward needs a batch that went Forward before it.");

        if (_byHandFreezing != Store.FreezingVersion)
            throw new InvalidOperationException("Layers were frozen or unfrozen since the batch went Forward: run it Forward again.");

        if (outputGradients.Length != (long)_forwardCount * OutputShape.Length)
        {
            throw new ArgumentException(
                $"The last batch gave {_forwardCount} x {OutputShape.Length} values, but {outputGradients.Length} gradients were given.", nameof(outputGradients));
        }

        if (_byHand.Plan.HasBackward)
        {
            outputGradients.CopyTo(new Span<float>(_byHand.Plan.OutputGradient(Graph.Output), outputGradients.Length));
            _byHand.Backward();
        }

        _forwardCount = 0;
        GC.KeepAlive(_byHand);
    }

    /// <summary>Lets an optimizer change the parameters by their gradients. Its moments live as long as it is the one that is used.</summary>
    /// <exception cref="NonFiniteException">A gradient is not finite. Nothing has been changed.</exception>
    public void Step(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (_update?.Optimizer != optimizer)
            _update = new(Store, optimizer, Execution, null, []);

        _update.Options = Execution;
        if (!_update.TryApply(loss: 0))
            throw new NonFiniteException("A gradient is not finite. The weights are those before the step.");
    }
}
