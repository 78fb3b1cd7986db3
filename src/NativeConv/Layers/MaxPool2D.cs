using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// Max-pooling: y[oh, ow, c] is the largest x in the window. Ties go to the first cell in row order, a NaN wins, a padded cell never does. Input
/// [height, width, channels], output [out height, out width, channels].
/// </summary>
public sealed class MaxPool2D(Size2D poolSize) : Pooling2D(poolSize)
{
    /// <inheritdoc/>
    public override string Kind => "max_pool2d";

    /// <summary>Whether at most a quarter of the input's cells get a gradient: windows of four cells or more that do not overlap.</summary>
    internal bool IsSparseBackward => PoolSize.Height * PoolSize.Width >= 4 && Stride.Height >= PoolSize.Height && Stride.Width >= PoolSize.Width;

    /// <summary>Whether its program can do the backward of the rectifier before it: which windows' maxima are on its bounds, the forward sees.</summary>
    internal bool CanRectifyBackward(ImageShape input) => MaxPool2x2.Fits(Geometry(input));

    /// <summary>Whether windows of two by two cells cover the input.</summary>
    internal bool QuartersInput(ImageShape input) =>
        MaxPool2x2.Fits(Geometry(input)) && Stride == new Size2D(2, 2) && input.Height % 2 == 0 && input.Width % 2 == 0;

    internal static MaxPool2D From(LayerConfiguration configuration) =>
        new(configuration.Size("pool")) { Stride = configuration.Size("stride"), Padding = configuration.Padding("padding") };

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding)
    {
        if (binding.HasBackward)
            binding.Winners = new((((long)binding.BatchSize * binding.OutputShape.Length) + sizeof(float) - 1) / sizeof(float));

        return binding.ProgramInPlace ?? new Program<TVector>(binding, Geometry(binding.InputShapes[0]));
    }

    private sealed unsafe class Program<TVector>(NodeBinding node, Conv2DGeometry geometry) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private readonly int _channels = node.InputShapes[0].Channels;
        private readonly Rectifier _rectifier = Rectifier.Of(node.BackwardActivation)!.Value;

        public override bool CanRunBackwardAgain => true;

        // Windows of two rows, one under another.
        public override int OwnRows => MaxPool2x2.Fits(geometry) && geometry.StrideHeight == 2 ? 2 : 0;

        public override void ForwardRows(int image, float* x, float* y, int first, int end) =>
            MaxPool2x2.Forward<TVector>(geometry, _channels, _rectifier, x, y, node.WinnersOf(image), first, end);

        public override void Forward(int phase, in Work work) => MaxPoolKernel.Forward<TVector>(
            geometry, _channels, node.Inputs[0].At(work), node.Output.At(work), node.WinnersOf(work.First), work.Count, _rectifier);

        public override void Backward(int phase, in Work work)
        {
            if (!node.InputGradients[0].IsNull)
                MaxPoolKernel.Backward<TVector>(geometry, _channels, node.OutputGradient.At(work), node.WinnersOf(work.First), node.InputGradients[0].At(work), work.Count);
        }
    }
}
