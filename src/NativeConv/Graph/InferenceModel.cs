using NativeConv.Graph;

namespace NativeConv;

/// <summary>
/// A model made ready to predict, by <see cref="Model.ToInference"/>: batch normalization is part of the weights before it, dropout is gone, and weights are packed once, not
/// at every call. It keeps a copy of the weights: later training of the model does not reach it. Outputs differ from the model's by rounding alone. Safe to use from
/// many threads at once.
/// </summary>
public sealed class InferenceModel
{
    private readonly Model _model;

    internal InferenceModel(Model model) => _model = InferenceGraph.Convert(model);

    /// <inheritdoc cref="Model.InputShape"/>
    public ImageShape InputShape => _model.InputShape;

    /// <inheritdoc cref="Model.OutputShape"/>
    public ImageShape OutputShape => _model.OutputShape;

    /// <inheritdoc cref="Model.ClassNames"/>
    public IReadOnlyList<string> ClassNames => _model.ClassNames;

    /// <summary>The nodes that are left.</summary>
    public IReadOnlyList<Node> Nodes => _model.Nodes;

    /// <summary>How it computes: the model's, unless set. One thread, or one image of a small network, runs on the caller's thread; fewer images of a large network than threads are shared by all.</summary>
    public ExecutionOptions Execution
    {
        get => _model.Execution;
        set => _model.Execution = value;
    }

    /// <inheritdoc cref="Model.Predict(ReadOnlySpan{float}, Span{float})"/>
    public void Predict(ReadOnlySpan<float> images, Span<float> outputs) => _model.Predict(images, outputs);

    /// <inheritdoc cref="Model.PredictProbabilities"/>
    public void PredictProbabilities(ReadOnlySpan<float> images, Span<float> probabilities) => _model.PredictProbabilities(images, probabilities);

    /// <inheritdoc cref="Model.Plan()"/>
    public ExecutionPlan Plan() => _model.Plan();

    /// <inheritdoc cref="Model.Summary"/>
    public string Summary() => _model.Summary();
}
