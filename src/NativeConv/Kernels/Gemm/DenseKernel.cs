using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// A dense layer: y [n, out] = b + x [n, in] w [in, out]. With few outputs y is a dot product over 16 virtual lanes of the input, otherwise a
/// pointwise convolution; dx is a pointwise convolution with transposed weights; dw is split by its rows, images added in order.
/// </summary>
internal sealed unsafe class DenseKernel<TVector>(int inputs, int outputs)
    where TVector : struct, IVector<TVector>
{
    private readonly ConvolutionPass _forward = ConvolutionPass.Forward(Pixel, inputs, outputs, 1);
    private readonly ConvolutionPass _backward = ConvolutionPass.BackwardInput(Pixel, inputs, outputs, 1);

    private static Conv2DGeometry Pixel => new(1, 1, 1, 1, 1, Padding.Valid);

    private bool IsDot => outputs <= DenseDotKernel.MostOutputs;

    public int ForwardPackedLength => IsDot ? checked(inputs * outputs) : _forward.PackedLength<TVector>();

    public int BackwardPackedLength => _backward.PackedLength<TVector>();

    public void PackForward(float* weights, float* bias, float* packed, Share share)
    {
        if (!IsDot)
        {
            _forward.Pack<TVector>(weights, bias, packed, share);
            return;
        }

        (int first, int end) = share.Of(inputs);
        Transposition.Run(weights + ((nint)first * outputs), outputs, packed + first, inputs, end - first, outputs);
    }

    public void PackBackward(float* weights, float* packed, Share share) => _backward.Pack<TVector>(weights, null, packed, share);

    /// <summary>Writes y; a pointwise forward has its biases packed, a dot product takes them here (or null).</summary>
    public void Forward(float* x, float* packed, float* bias, float* y, int images)
    {
        if (!IsDot)
        {
            _forward.Run<TVector>(x, packed, y, images, Share.All);
            return;
        }

        DenseDotKernel.Run<TVector>(x, inputs, packed, outputs, bias, y, images);
    }

    public void BackwardInput(float* dy, float* packed, float* dx, int images) => _backward.Run<TVector>(dy, packed, dx, images, Share.All);

    /// <summary>Adds rows <paramref name="first"/> up to <paramref name="end"/> of dw, summed over all the images given.</summary>
    public void BackwardWeights(float* x, float* dy, float* dw, int first, int end, int images)
    {
        if (first == end)
            return;

        int width = 2 * TVector.Lanes;
        for (int column = 0; column < outputs; column += width)
        {
            WeightGradientMicroKernel.Run<TVector>(end - first, new()
            {
                Left = x + first,
                LeftRow = 1,
                LeftPixel = inputs,
                Right = dy + column,
                RightPixel = outputs,
                Pixels = images,
                Lines = 1,
                Gradient = dw + ((nint)first * outputs) + column,
                GradientRow = outputs,
                Channels = Math.Min(width, outputs - column),
            });
        }
    }
}
