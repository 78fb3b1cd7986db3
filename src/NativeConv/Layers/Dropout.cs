using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Dropout (Srivastava et al., 2014): training sets each value to 0 with probability rate and scales the others by 1/(1 - rate); prediction changes nothing. Which
/// values drop depends on the seed, the step and the value's position alone.
/// </summary>
public sealed class Dropout : Layer
{
    /// <summary>Describes a dropout.</summary>
    /// <param name="rate">The probability, 0 up to but not including 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is outside.</exception>
    public Dropout(float rate)
    {
        if (rate is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "The rate must be 0 up to, but not including, 1.");

        Rate = rate;
    }

    /// <inheritdoc/>
    public override string Kind => "dropout";

    /// <summary>The probability that a value drops.</summary>
    public float Rate { get; }

    internal override bool IsTransparentToInitializer => true;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration) => configuration.Set("rate", Rate);

    internal static Dropout From(LayerConfiguration configuration) => new((float)configuration.Number("rate"));

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) =>
        binding.Training ? new Program<TVector>(binding, Rate) : new AliasProgram(binding);

    private sealed unsafe class Program<TVector>(NodeBinding node, float rate) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private ulong _seed;
        private ulong _stream;

        public override void Prepare(ulong seed, long step, Share share)
        {
            _seed = seed;
            _stream = ((ulong)step << 16) | (uint)node.NodeIndex;
        }

        public override void Forward(int phase, in Work work) => Drop(node.Inputs[0].At(work), node.Output.At(work), work);

        // The mask is drawn again instead of kept.
        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
                Drop(node.OutputGradient.At(work), node.InputGradients[0].At(work), work);
        }

        private void Drop(float* x, float* y, in Work work)
        {
            int length = node.OutputShape.Length;
            DropoutKernel.Run<TVector>(x, y, (ulong)work.First * (uint)length, (nint)work.Count * length, rate, _seed, _stream);
        }
    }
}
