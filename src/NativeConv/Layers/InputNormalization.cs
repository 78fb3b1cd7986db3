using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Brings raw values to mean 0 and deviation 1: y = (x * scale - mean) / deviation, computed as one multiply-add. Part of the model, so that it is saved
/// with it and predictions take raw pixels.
/// </summary>
public sealed class InputNormalization : Layer
{
    /// <summary>Describes a normalization.</summary>
    /// <exception cref="ArgumentException">A number is not finite, or the deviation not above 0.</exception>
    public InputNormalization(float scale, float mean, float deviation)
    {
        if (!float.IsFinite(scale) || !float.IsFinite(mean) || !float.IsFinite(deviation) || deviation <= 0)
            throw new ArgumentException($"Scale, mean and deviation must be finite and the deviation above 0, but are {scale}, {mean} and {deviation}.");

        Scale = scale;
        Mean = mean;
        Deviation = deviation;
    }

    /// <inheritdoc/>
    public override string Kind => "normalize";

    /// <summary>What raw values are multiplied by.</summary>
    public float Scale { get; }

    /// <summary>The mean of scaled values.</summary>
    public float Mean { get; }

    /// <summary>The deviation of scaled values.</summary>
    public float Deviation { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("scale", Scale);
        configuration.Set("mean", Mean);
        configuration.Set("deviation", Deviation);
    }

    internal static InputNormalization From(LayerConfiguration configuration) =>
        new((float)configuration.Number("scale"), (float)configuration.Number("mean"), (float)configuration.Number("deviation"));

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program<TVector>(binding, Scale / Deviation, -Mean / Deviation);

    private sealed unsafe class Program<TVector>(NodeBinding node, float factor, float offset) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private readonly nint _row = (nint)node.OutputShape.Width * node.OutputShape.Channels;

        public override int OwnRows => 1;

        public override void ForwardRows(int image, float* x, float* y, int first, int end) =>
            ElementwiseKernel.MultiplyAdd<TVector>(x + (first * _row), factor, offset, y + (first * _row), (end - first) * _row);

        public override void Forward(int phase, in Work work) => ElementwiseKernel.MultiplyAdd<TVector>(
            node.Inputs[0].At(work), factor, offset, node.Output.At(work), (nint)work.Count * node.OutputShape.Length);

        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
            {
                ElementwiseKernel.MultiplyAdd<TVector>(
                    node.OutputGradient.At(work), factor, 0, node.InputGradients[0].At(work), (nint)work.Count * node.OutputShape.Length);
            }
        }
    }
}
