using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;
using NativeConv.Tensors;

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
            where TActivation : struct, IActivation => new Program<TVector, TActivation>(node, layer);
    }

    private sealed unsafe class Program<TVector, TActivation> : LayerProgram
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        private readonly NodeBinding _node;
        private readonly BatchNormalization _layer;
        private readonly int _channels, _pixels;

        /// <summary>Whether a batch outgrows the caches before it comes back from a barrier.</summary>
        private readonly bool _isLarge;

        /// <summary>Whether mean and variance are the batch's, not the running ones.</summary>
        private readonly bool _usesBatch;

        /// <summary>One row each of mean, scale, 1/deviation, and backward's slope and offset.</summary>
        private readonly AlignedMemory _channelValues;

        /// <summary>Two rows an image: its mean and sum of squared deviations forward, its two sums backward.</summary>
        private readonly AlignedMemory _partials;

        private readonly int _row;

        public Program(NodeBinding node, BatchNormalization layer)
        {
            _node = node;
            _layer = layer;
            _channels = node.OutputShape.Channels;
            _pixels = node.OutputShape.Pixels;
            _usesBatch = node.Training && node.ParametersTrainable;
            _isLarge = _usesBatch && (long)node.BatchSize * node.OutputShape.Length * sizeof(float) >= BatchNormalizationKernel.LargeBytes;
            _row = (int)AlignedMemory.RoundUp(_channels);
            _channelValues = new(5L * _row);
            _partials = new(_usesBatch ? 2L * _row * node.BatchSize : 0);
        }

        public override int ForwardPhases => _usesBatch ? 2 : 1;

        public override int BackwardPhases => ForwardPhases;

        public override int OwnRows => _node.Training ? 0 : 1;

        public override bool CanRunInPlace => true;

        public override void ForwardRows(int image, float* x, float* y, int first, int end)
        {
            int width = _node.OutputShape.Width;
            nint start = (nint)first * width * _channels;
            BatchNormalizationKernel.Normalize<TVector, TActivation>(x + start, Mean, Scale, Beta, y + start, (nint)(end - first) * width, _channels);
        }

        public override BackwardReads BackwardReads => BackwardReads.Inputs;

        public override bool CanRunForwardAgain => true;

        private float* Mean => _channelValues.Pointer;

        private float* Scale => Mean + _row;

        private float* InverseDeviation => Scale + _row;

        private float* Slope => InverseDeviation + _row;

        private float* Offset => Slope + _row;

        private float* Beta => _node.Parameters[1].Value;

        public override void Prepare(ulong seed, long step, Share share)
        {
            if (_usesBatch)
                return;

            new ReadOnlySpan<float>(_node.Parameters[2].Value, _channels).CopyTo(new(Mean, _channels));
            BatchNormalizationKernel.InferenceCoefficients<TVector>(
                _node.Parameters[3].Value, _node.Parameters[0].Value, _layer.Epsilon, Scale, InverseDeviation, _channels);
        }

        public override void Forward(int phase, in Work work)
        {
            float* x = _node.Inputs[0].At(work);
            if (phase < ForwardPhases - 1)
            {
                for (int image = 0; image < work.Count; image++)
                {
                    float* values = x + ((nint)image * _pixels * _channels);
                    BatchNormalizationKernel.Statistics<TVector>(values, _pixels, _channels, First(work.First + image), Second(work.First + image));
                }

                return;
            }

            BatchNormalizationKernel.Normalize<TVector, TActivation>(x, Mean, Scale, Beta, _node.Output.At(work), (nint)work.Count * _pixels, _channels, _isLarge);
        }

        public override void ForwardBarrier(int phase, int images)
        {
            long count = (long)images * _pixels;
            if (count < 2)
                throw new ArgumentException($"Batch normalization needs more than one value a channel to train on, but a batch of one {_node.OutputShape} has one.");

            for (int step = 1; step < images; step *= 2)
            {
                for (int i = 0; i + step < images; i += 2 * step)
                {
                    long right = Math.Min(step, images - i - step);
                    BatchNormalizationKernel.Merge<TVector>((long)step * _pixels, First(i), Second(i), right * _pixels, First(i + step), Second(i + step), _channels);
                }
            }

            new ReadOnlySpan<float>(First(0), _channels).CopyTo(new(Mean, _channels));
            BatchNormalizationKernel.Coefficients<TVector>(Second(0), count, _node.Parameters[0].Value, _layer.Epsilon, Scale, InverseDeviation, _channels);
            BatchNormalizationKernel.UpdateRunning<TVector>(
                First(0), Second(0), count, _layer.Momentum, _node.Parameters[2].Value, _node.Parameters[3].Value, _channels);
        }

        public override void Backward(int phase, in Work work)
        {
            float* x = _node.Inputs[0].At(work), dy = _node.OutputGradient.At(work);
            if (phase < BackwardPhases - 1)
            {
                for (int image = 0; image < work.Count; image++)
                {
                    nint offset = (nint)image * _pixels * _channels;
                    BatchNormalizationKernel.BackwardSums<TVector, TActivation>(
                        x + offset, dy + offset, Mean, InverseDeviation, Scale, Beta, _pixels, _channels, First(work.First + image), Second(work.First + image));
                }

                return;
            }

            // Where the running statistics are used, no output sees another's input: slope and offset stay 0.
            if (!_node.InputGradients[0].IsNull)
            {
                BatchNormalizationKernel.BackwardInput<TVector, TActivation>(
                    x, dy, Mean, Scale, Beta, Slope, Offset, _node.InputGradients[0].At(work), (nint)work.Count * _pixels, _channels, _isLarge);
            }
        }

        public override void BackwardBarrier(int phase, int images, float* firstGradients)
        {
            for (int step = 1; step < images; step *= 2)
            {
                for (int i = 0; i + step < images; i += 2 * step)
                    ElementwiseKernel.AddTo<TVector>(First(i + step), First(i), 2 * _row);
            }

            ElementwiseKernel.AddTo<TVector>(Second(0), _node.Parameters[0].Private(firstGradients), _channels);
            ElementwiseKernel.AddTo<TVector>(First(0), _node.Parameters[1].Private(firstGradients), _channels);
            BatchNormalizationKernel.BackwardCoefficients<TVector>(First(0), Second(0), (long)images * _pixels, InverseDeviation, Scale, Slope, Offset, _channels);
        }

        private float* First(int image) => _partials.Pointer + ((nint)image * 2 * _row);

        private float* Second(int image) => First(image) + _row;
    }
}
