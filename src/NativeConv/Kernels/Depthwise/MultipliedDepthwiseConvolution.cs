using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Depthwise convolution with a few outputs a channel, weights [kh, kw, c, m], output channel c*m + q: each image's channels are repeated m times in
/// the worker's scratch, and the one-output kernels run over c*m channels, whose weights are already in that order.
/// </summary>
internal sealed unsafe class MultipliedDepthwiseConvolution<TVector>(in Conv2DGeometry geometry, int channels, int multiplier, Rectifier rectifier)
    : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly ConvolutionAlgorithm<TVector> _expanded = Depthwise(geometry, channels * multiplier, 1, rectifier);
    private readonly ChannelRepetition<TVector> _repetition = new(multiplier);
    private readonly int _inputPixels = geometry.InputPixels;
    private readonly int _outputPixels = geometry.OutputPixels;

    private int ExpandedLength => checked(_inputPixels * channels * multiplier);

    public override int ForwardPackedLength => _expanded.ForwardPackedLength;

    public override int BackwardPackedLength => _expanded.BackwardPackedLength;

    public override int ScratchLength => checked(ExpandedLength + _expanded.ScratchLength);

    public override void PackForward(float* weights, float* bias, float* packed, Share share) => _expanded.PackForward(weights, bias, packed, share);

    public override void PackBackward(float* weights, float* packed, Share share) => _expanded.PackBackward(weights, packed, share);

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share)
    {
        if (share.Index > 0)
            return;

        for (int image = 0; image < images; image++)
        {
            _repetition.Repeat(x, (nint)_inputPixels * channels, scratch);
            _expanded.Forward(scratch, packed, y, scratch + ExpandedLength, 1);
            x += (nint)_inputPixels * channels;
            y += (nint)_outputPixels * channels * multiplier;
        }
    }

    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share)
    {
        if (share.Index > 0)
            return;

        for (int image = 0; image < images; image++)
        {
            _expanded.BackwardInput(dy, packed, scratch, scratch + ExpandedLength, 1);
            _repetition.Fold(scratch, dx, (nint)_inputPixels * channels);
            dx += (nint)_inputPixels * channels;
            dy += (nint)_outputPixels * channels * multiplier;
        }
    }

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share)
    {
        if (share.Index > 0)
            return;

        for (int image = 0; image < images; image++)
        {
            _repetition.Repeat(x, (nint)_inputPixels * channels, scratch);
            _expanded.BackwardWeights(scratch, dy, dw, scratch + ExpandedLength, 1);
            x += (nint)_inputPixels * channels;
            dy += (nint)_outputPixels * channels * multiplier;
        }
    }
}
