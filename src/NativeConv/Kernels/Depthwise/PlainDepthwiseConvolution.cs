using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Depthwise convolution with one output a channel. Where pixels are a multiple of 2 KB apart it may be told to copy groups of channels, which gives the same bits.</summary>
internal sealed unsafe class PlainDepthwiseConvolution<TVector>(in Conv2DGeometry geometry, int channels, Rectifier rectifier, bool copiesGroups) : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly DepthwisePass<TVector> _forward = DepthwisePass<TVector>.Forward(geometry, channels, rectifier, copiesGroups);
    private readonly DepthwisePass<TVector> _backward = DepthwisePass<TVector>.BackwardInput(geometry, channels, copiesGroups);
    private readonly DepthwiseWeightGradient<TVector> _weights = new(geometry, channels, copiesGroups);
    private readonly nint _inputLength = (nint)geometry.InputPixels * channels, _outputLength = (nint)geometry.OutputPixels * channels;
    private readonly int _inputHeight = geometry.InputHeight, _outputHeight = geometry.OutputHeight;

    public override int ForwardPackedLength => _forward.PackedLength;

    public override int BackwardPackedLength => _backward.PackedLength;

    public override int ScratchLength => _weights.ScratchLength;

    public override void PackForward(float* weights, float* bias, float* packed, Share share) => _forward.Pack(weights, bias, packed, share);

    public override void PackBackward(float* weights, float* packed, Share share) => _backward.Pack(weights, null, packed, share);

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share) => _forward.Run(x, packed, y, images, share);

    public override void ForwardFromMemory(float* x, float* packed, float* y, float* scratch, int images, Share share) => _forward.RunFromMemory(x, packed, y, images, share);

    public override bool CanRunRows => _forward.CanRunRows;

    public override void ForwardRows(float* x, float* packed, float* y, int first, int end) => _forward.RunRows(x, packed, y, first, end);

    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share) =>
        _backward.Run(dy, packed, dx, images, share);

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share) =>
        _weights.Add(x, dy, dw, scratch, images, share, _backward.Fetches(images));

    public override void BackwardWeightsFromMemory(float* x, float* dy, float* dw, float* scratch, int images, Share share) =>
        _weights.Add(x, dy, dw, scratch, images, share, fetches: true);

    public override bool CanRunBackwardRows => _backward.CanRunRows && _weights.CanAddRows;

    public override void BackwardRows(float* x, float* dy, float* packed, float* dx, float* dw, Share band)
    {
        if (dx != null)
        {
            (int first, int end) = band.Of(_inputHeight);
            _backward.RunRows(dy, packed, dx, first, end);
        }

        if (dw != null)
        {
            (int first, int end) = band.Of(_outputHeight);
            _weights.AddRows(x, dy, dw, first, end);
        }
    }

    /// <summary>Both while dy is in a cache: a few lines at a time where it comes from memory, otherwise image by image.</summary>
    public override void Backward(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        if (_weights.CanAddBlocks && _backward.GainsWithWeights(images))
        {
            _backward.RunWith(_weights, x, dy, packed, dx, dw, images);
            return;
        }

        for (int image = 0; image < images; image++)
        {
            BackwardInput(dy, packed, dx, scratch, 1);
            BackwardWeights(x, dy, dw, scratch, 1);
            x += _inputLength;
            dx += _inputLength;
            dy += _outputLength;
        }
    }
}
