using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Dense and grouped convolution, pointwise included: <see cref="ConvolutionPass"/> both ways, or backward to few channels <see cref="FoldedInputGradient"/>.</summary>
internal sealed unsafe class GeneralConvolution<TVector>(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups, Rectifier rectifier)
    : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly Conv2DGeometry _g = geometry;
    private readonly ConvolutionPass _forward = ConvolutionPass.Forward(geometry, inputChannels, outputChannels, groups, rectifier);
    private readonly ConvolutionPass _backward = ConvolutionPass.BackwardInput(geometry, inputChannels, outputChannels, groups);
    private readonly FoldedInputGradient? _fold = FoldedInputGradient.Fits(geometry, inputChannels, outputChannels, groups) ? new(geometry, inputChannels, outputChannels) : null;
    private readonly ConvolutionWeightGradient _weights = new(geometry, inputChannels, outputChannels, groups);

    public override int ForwardPackedLength => _forward.PackedLength<TVector>();

    public override int BackwardPackedLength => _fold?.PackedLength<TVector>() ?? _backward.PackedLength<TVector>();

    public override int ScratchLength => Math.Max(_weights.ScratchLength<TVector>(), _fold?.ScratchLength ?? 0);

    public override void PackForward(float* weights, float* bias, float* packed, Share share) => _forward.Pack<TVector>(weights, bias, packed, share);

    public override void PackBackward(float* weights, float* packed, Share share)
    {
        if (_fold != null)
            _fold.Pack<TVector>(weights, packed, share);
        else
            _backward.Pack<TVector>(weights, null, packed, share);
    }

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share) =>
        _forward.Run<TVector>(x, packed, y, images, share);

    public override bool CanAsk => _forward.CanAsk && _backward.CanAsk && _fold == null;

    public override void ForwardAsking(float* x, float* packed, float* y, float* scratch, int images, FetchQueue* ahead) =>
        _forward.Run<TVector>(x, packed, y, images, Share.All, ahead);

    public override void BackwardAsking(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images, FetchQueue* ahead)
    {
        if (!CanAsk)
        {
            base.BackwardAsking(x, dy, packed, dx, dw, scratch, images, ahead);
            return;
        }

        if (dx != null)
            _backward.Run<TVector>(dy, packed, dx, images, Share.All, ahead);

        if (dw != null)
            _weights.Run<TVector>(x, dy, dw, scratch, images, Share.All, begins: false, ahead);
    }

    public override int ForwardPanelLength => _forward.PanelLength<TVector>();

    public override int BackwardPanelLength => _fold != null ? 0 : _backward.PanelLength<TVector>();

    public override void ForwardUnpacked(float* x, float* weights, float* bias, float* y, float* panel, int images, Share share) =>
        _forward.RunUnpacked<TVector>(x, weights, bias, y, panel, images, share);

    public override void BackwardInputUnpacked(float* dy, float* weights, float* dx, float* panel, int images, Share share) =>
        _backward.RunUnpacked<TVector>(dy, weights, null, dx, panel, images, share);

    public override int OwnRows => _forward.OwnRows;

    public override bool CanRunRows => _forward.CanRunRows;

    public override void ForwardRows(float* x, float* packed, float* y, int first, int end) => _forward.RunRows<TVector>(x, packed, y, first, end);

    public override PooledConvolution? WithPooling() =>
        PooledConvolution.Fits(_g, inputChannels, outputChannels, groups) ? new(_g, inputChannels, outputChannels, rectifier) : null;

    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share)
    {
        if (_fold == null)
            _backward.Run<TVector>(dy, packed, dx, images, share);
        else if (share.Index == 0)
            _fold.Run<TVector>(dy, packed, dx, scratch, images);
    }

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share) =>
        _weights.Run<TVector>(x, dy, dw, scratch, images, share, begins: false);

    public override bool CanBeginWeights => _weights.CanBegin;

    public override void BeginWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share) =>
        _weights.Run<TVector>(x, dy, dw, scratch, images, share, begins: true);
}
