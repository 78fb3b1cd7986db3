using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>The mean of each channel over the image: [height, width, channels] to [1, 1, channels].</summary>
public sealed class GlobalAveragePool2D : Layer
{
    /// <inheritdoc/>
    public override string Kind => "global_average_pool2d";

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => new(1, 1, inputs[0].Channels);

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => new(new(inputs[0].Height, inputs[0].Width), 1);

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program<TVector>(binding);

    private sealed unsafe class Program<TVector>(NodeBinding node) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private readonly int _pixels = node.InputShapes[0].Pixels, _channels = node.InputShapes[0].Channels;

        public override bool CanRunBackwardAgain => true;

        public override void Forward(int phase, in Work work) =>
            GlobalAveragePoolKernel.Forward<TVector>(_pixels, _channels, node.Inputs[0].At(work), node.Output.At(work), work.Count);

        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
                GlobalAveragePoolKernel.Backward<TVector>(_pixels, _channels, node.OutputGradient.At(work), node.InputGradients[0].At(work), work.Count);
        }
    }
}
