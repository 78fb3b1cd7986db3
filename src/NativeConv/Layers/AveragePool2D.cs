using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Average pooling: y[oh, ow, c] is the mean of x over the window's cells inside the image. Input [height, width, channels], output
/// [out height, out width, channels].
/// </summary>
public sealed class AveragePool2D(Size2D poolSize) : Pooling2D(poolSize)
{
    /// <inheritdoc/>
    public override string Kind => "average_pool2d";

    internal static AveragePool2D From(LayerConfiguration configuration) =>
        new(configuration.Size("pool")) { Stride = configuration.Size("stride"), Padding = configuration.Padding("padding") };

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) =>
        new Program<TVector>(binding, Geometry(binding.InputShapes[0]));

    private sealed unsafe class Program<TVector>(NodeBinding node, Conv2DGeometry geometry) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private readonly int _channels = node.InputShapes[0].Channels;

        public override bool CanRunBackwardAgain => true;

        public override void Forward(int phase, in Work work) =>
            AveragePoolKernel.Forward<TVector>(geometry, _channels, node.Inputs[0].At(work), node.Output.At(work), work.Count);

        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
                AveragePoolKernel.Backward<TVector>(geometry, _channels, node.OutputGradient.At(work), node.InputGradients[0].At(work), work.Count);
        }
    }
}
