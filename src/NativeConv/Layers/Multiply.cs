using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// The product of two inputs of one shape, or of an image and one value a channel: y[h, w, c] = a[h, w, c] * b[h, w, c] or a[h, w, c] * b[c], as
/// squeeze-and-excitation scales channels.
/// </summary>
public sealed class Multiply : Layer
{
    /// <inheritdoc/>
    public override string Kind => "multiply";

    /// <inheritdoc/>
    public override int InputCount => 2;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) =>
        inputs[1] == inputs[0] || inputs[1] == new ImageShape(1, 1, inputs[0].Channels)
            ? inputs[0]
            : throw new ArgumentException($"the second input must be {inputs[0]} or 1x1x{inputs[0].Channels}, but is {inputs[1]}.");

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => inputs[0].Length;

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program<TVector>(binding);

    private sealed unsafe class Program<TVector>(NodeBinding node) : LayerProgram
        where TVector : struct, IVector<TVector>
    {
        private readonly bool _perChannel = node.InputShapes[0] != node.InputShapes[1];
        private readonly int _length = node.OutputShape.Length, _channels = node.OutputShape.Channels, _pixels = node.OutputShape.Pixels;

        public override BackwardReads BackwardReads => BackwardReads.Inputs;

        public override void Forward(int phase, in Work work)
        {
            float* a = node.Inputs[0].At(work), b = node.Inputs[1].At(work), y = node.Output.At(work);
            Product(a, b, y, work.Count);
        }

        public override void Backward(int phase, in Work work)
        {
            float* a = node.Inputs[0].At(work), b = node.Inputs[1].At(work), dy = node.OutputGradient.At(work);
            if (!node.InputGradients[0].IsNull)
                Product(dy, b, node.InputGradients[0].At(work), work.Count);

            if (node.InputGradients[1].IsNull)
                return;

            float* db = node.InputGradients[1].At(work);
            if (!_perChannel)
            {
                ElementwiseKernel.Multiply<TVector>(dy, a, db, (nint)work.Count * _length);
                return;
            }

            new Span<float>(db, work.Count * _channels).Clear();
            for (int image = 0; image < work.Count; image++)
            {
                for (int pixel = 0; pixel < _pixels; pixel++)
                {
                    nint offset = ((nint)image * _length) + ((nint)pixel * _channels);
                    ElementwiseKernel.MultiplyAddTo<TVector>(dy + offset, a + offset, db + ((nint)image * _channels), _channels);
                }
            }
        }

        private void Product(float* image, float* factor, float* result, int count)
        {
            if (!_perChannel)
            {
                ElementwiseKernel.Multiply<TVector>(image, factor, result, (nint)count * _length);
                return;
            }

            for (int i = 0; i < count; i++)
            {
                for (int pixel = 0; pixel < _pixels; pixel++)
                {
                    nint offset = ((nint)i * _length) + ((nint)pixel * _channels);
                    ElementwiseKernel.Multiply<TVector>(image + offset, factor + ((nint)i * _channels), result + offset, _channels);
                }
            }
        }
    }
}
