using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Batch normalization (Ioffe and Szegedy, 2015): y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel. Training takes mean and biased variance
/// over the batch's images and pixels, and moves the running ones, the variance unbiased; prediction, and training where the layer is frozen, takes the running ones as they are.
/// Parameters gamma, beta, running_mean, running_var, each [channels].
/// </summary>
public sealed class BatchNormalization : Layer
{
    /// <inheritdoc/>
    public override string Kind => "batch_normalization";

    /// <summary>The weight of the new batch in the running statistics.</summary>
    public float Momentum { get; init; } = 0.1f;

    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    internal override bool IsTransparentToInitializer => true;

    internal override bool CanFuse(Activation activation) => true;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        if (Momentum is not (>= 0 and <= 1))
            throw new ArgumentException($"The momentum must be 0 to 1, but is {Momentum}.");

        if (!(Epsilon > 0) || !float.IsFinite(Epsilon))
            throw new ArgumentException($"Epsilon must be above 0, but is {Epsilon}.");

        return inputs[0];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs)
    {
        var shape = new TensorShape(inputs[0].Channels);
        return
        [
            new("gamma", shape, ParameterRole.Gamma), new("beta", shape, ParameterRole.Beta),
            new("running_mean", shape, ParameterRole.RunningMean), new("running_var", shape, ParameterRole.RunningVariance),
        ];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => inputs[0].Length;

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("momentum", Momentum);
        configuration.Set("epsilon", Epsilon);
    }

    internal static BatchNormalization From(LayerConfiguration configuration) => new()
    {
        Momentum = (float)configuration.Number("momentum"),
        Epsilon = (float)configuration.Number("epsilon"),
    };

    internal override bool IsPixelwise => true;

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) =>
        ActivationDispatch.Run<Creation<TVector>, LayerProgram>(binding.FusedActivation, new(binding, this));

    private readonly struct Creation<TVector>(NodeBinding node, BatchNormalization layer) : IActivationWork<LayerProgram>
        where TVector : struct, IVector<TVector>
    {
        public LayerProgram Run<TActivation>()
            where TActivation : struct, IActivation => node.PoolsItself
                ? new PooledNormalizationProgram<TVector, TActivation>(node, layer)
                : new BatchNormalizationProgram<TVector, TActivation>(node, layer);
    }
}
