using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Layers;

/// <summary>Batch normalization and the activation behind it: statistics of the batch, a barrier, then a sweep either way.</summary>
internal unsafe class BatchNormalizationProgram<TVector, TActivation> : LayerProgram
    where TVector : struct, IVector<TVector>
    where TActivation : struct, IActivation
{
    private readonly BatchNormalization _layer;

    /// <summary>Of an image.</summary>
    private readonly int _pixels;

    /// <summary>Whether mean and variance are the batch's, not the running ones.</summary>
    private readonly bool _usesBatch;

    /// <summary>One row each of mean, scale, 1/deviation, and backward's slope and offset.</summary>
    private readonly AlignedMemory _channelValues;

    /// <summary>Two rows an image: its mean and sum of squared deviations forward, its two sums backward.</summary>
    private readonly AlignedMemory _partials;

    private readonly int _row;

    public BatchNormalizationProgram(NodeBinding node, BatchNormalization layer)
    {
        Binding = node;
        _layer = layer;
        Channels = node.OutputShape.Channels;
        _pixels = node.OutputShape.Pixels;
        _usesBatch = node.Training && node.ParametersTrainable;
        IsLarge = _usesBatch && LeavesCaches(node);
        _row = (int)AlignedMemory.RoundUp(Channels);
        _channelValues = new(5L * _row);
        _partials = new(_usesBatch ? 2L * _row * node.BatchSize : 0);
    }

    protected NodeBinding Binding { get; }

    protected int Channels { get; }

    /// <summary>Whether a batch outgrows the caches before it comes back from a barrier.</summary>
    protected bool IsLarge { get; }

    protected static bool LeavesCaches(NodeBinding node) => (long)node.BatchSize * node.OutputShape.Length * sizeof(float) >= BatchNormalizationKernel.LargeBytes;

    public override int ForwardPhases => _usesBatch ? 2 : 1;

    public override int BackwardPhases => _usesBatch ? 2 : 1;

    public override int OwnRows => Binding.Training ? 0 : 1;

    public override bool CanRunInPlace => true;

    public override void ForwardRows(int image, float* x, float* y, int first, int end)
    {
        int width = Binding.OutputShape.Width;
        nint start = (nint)first * width * Channels;
        BatchNormalizationKernel.Normalize<TVector, TActivation>(x + start, Mean, Scale, Beta, y + start, (nint)(end - first) * width, Channels);
    }

    public override BackwardReads BackwardReads => BackwardReads.Inputs;

    public override bool CanRunForwardAgain => true;

    protected float* Mean => _channelValues.Pointer;

    protected float* Scale => Mean + _row;

    private float* InverseDeviation => Scale + _row;

    protected float* Slope => InverseDeviation + _row;

    protected float* Offset => Slope + _row;

    protected float* Beta => Binding.Parameters[1].Value;

    public override void Prepare(ulong seed, long step, Share share)
    {
        if (_usesBatch)
            return;

        new ReadOnlySpan<float>(Binding.Parameters[2].Value, Channels).CopyTo(new(Mean, Channels));
        BatchNormalizationKernel.InferenceCoefficients<TVector>(
            Binding.Parameters[3].Value, Binding.Parameters[0].Value, _layer.Epsilon, Scale, InverseDeviation, Channels);
    }

    public override void Forward(int phase, in Work work)
    {
        float* x = Binding.Inputs[0].At(work);
        if (phase == 0 && _usesBatch)
        {
            for (int image = 0; image < work.Count; image++)
            {
                float* values = x + ((nint)image * _pixels * Channels);
                BatchNormalizationKernel.Statistics<TVector>(values, _pixels, Channels, First(work.First + image), Second(work.First + image));
            }

            return;
        }

        BatchNormalizationKernel.Normalize<TVector, TActivation>(x, Mean, Scale, Beta, Binding.Output.At(work), (nint)work.Count * _pixels, Channels, IsLarge);
    }

    public override void ForwardBarrier(int phase, int images)
    {
        long count = (long)images * _pixels;
        if (count < 2)
            throw new ArgumentException($"Batch normalization needs more than one value a channel to train on, but a batch of one {Binding.OutputShape} has one.");

        for (int step = 1; step < images; step *= 2)
        {
            for (int i = 0; i + step < images; i += 2 * step)
            {
                long right = Math.Min(step, images - i - step);
                BatchNormalizationKernel.Merge<TVector>((long)step * _pixels, First(i), Second(i), right * _pixels, First(i + step), Second(i + step), Channels);
            }
        }

        new ReadOnlySpan<float>(First(0), Channels).CopyTo(new(Mean, Channels));
        BatchNormalizationKernel.Coefficients<TVector>(Second(0), count, Binding.Parameters[0].Value, _layer.Epsilon, Scale, InverseDeviation, Channels);
        BatchNormalizationKernel.UpdateRunning<TVector>(
            First(0), Second(0), count, _layer.Momentum, Binding.Parameters[2].Value, Binding.Parameters[3].Value, Channels);
    }

    public override void Backward(int phase, in Work work)
    {
        float* x = Binding.Inputs[0].At(work), dy = Binding.OutputGradient.At(work);
        if (phase < BackwardPhases - 1)
        {
            SumBackward(x, dy, _pixels, work);
            return;
        }

        // Where the running statistics are used, no output sees another's input: slope and offset stay 0.
        if (!Binding.InputGradients[0].IsNull)
        {
            BatchNormalizationKernel.BackwardInput<TVector, TActivation>(
                x, dy, Mean, Scale, Beta, Slope, Offset, Binding.InputGradients[0].At(work), (nint)work.Count * _pixels, Channels, IsLarge);
        }
    }

    /// <summary>The two sums of each image, from so many pixels.</summary>
    protected void SumBackward(float* x, float* dy, int pixels, in Work work)
    {
        for (int image = 0; image < work.Count; image++)
        {
            nint offset = (nint)image * pixels * Channels;
            BatchNormalizationKernel.BackwardSums<TVector, TActivation>(
                x + offset, dy + offset, Mean, InverseDeviation, Scale, Beta, pixels, Channels, First(work.First + image), Second(work.First + image));
        }
    }

    public override void BackwardBarrier(int phase, int images, float* firstGradients)
    {
        for (int step = 1; step < images; step *= 2)
        {
            for (int i = 0; i + step < images; i += 2 * step)
                ElementwiseKernel.AddTo<TVector>(First(i + step), First(i), 2 * _row);
        }

        ElementwiseKernel.AddTo<TVector>(Second(0), Binding.Parameters[0].Private(firstGradients), Channels);
        ElementwiseKernel.AddTo<TVector>(First(0), Binding.Parameters[1].Private(firstGradients), Channels);
        BatchNormalizationKernel.BackwardCoefficients<TVector>(First(0), Second(0), (long)images * _pixels, InverseDeviation, Scale, Slope, Offset, Channels);
    }

    private float* First(int image) => _partials.Pointer + ((nint)image * 2 * _row);

    private float* Second(int image) => First(image) + _row;
}
