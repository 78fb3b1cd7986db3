using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>Applies a function to every value: y = f(x). Output shape is the input's.</summary>
public sealed class ActivationLayer(Activation function) : Layer
{
    /// <inheritdoc/>
    public override string Kind => "activation";

    /// <summary>The function.</summary>
    public Activation Function => function;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration) => configuration.Set("function", function.ToString());

    internal static ActivationLayer From(LayerConfiguration configuration) => new(configuration.Choice<Activation>("function"));

    internal override bool IsPixelwise => true;

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => binding.IsFusedAway
        ? new AliasProgram(binding)
        : ActivationDispatch.Run<Creation<TVector>, LayerProgram>(function, new Creation<TVector>(binding));

    private readonly struct Creation<TVector>(NodeBinding node) : IActivationWork<LayerProgram>
        where TVector : struct, IVector<TVector>
    {
        public LayerProgram Run<TActivation>()
            where TActivation : struct, IActivation => new Program<TVector, TActivation>(node);
    }

    private sealed unsafe class Program<TVector, TActivation>(NodeBinding node) : LayerProgram
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        public override BackwardReads BackwardReads => BackwardReads.Inputs;

        private readonly nint _row = (nint)node.OutputShape.Width * node.OutputShape.Channels;

        public override int OwnRows => 1;

        public override bool CanRunInPlace => true;

        public override void ForwardRows(int image, float* x, float* y, int first, int end) =>
            ActivationKernel.Forward<TVector, TActivation>(x + (first * _row), y + (first * _row), (end - first) * _row);

        public override void Forward(int phase, in Work work) => ActivationKernel.Forward<TVector, TActivation>(
            node.Inputs[0].At(work), node.Output.At(work), (nint)work.Count * node.OutputShape.Length);

        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
            {
                ActivationKernel.Backward<TVector, TActivation>(
                    node.Inputs[0].At(work), node.OutputGradient.At(work), node.InputGradients[0].At(work), (nint)work.Count * node.OutputShape.Length);
            }
        }
    }
}
