using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Depthwise convolution with one output a channel.</summary>
internal sealed unsafe class PlainDepthwiseConvolution<TVector>(in Conv2DGeometry geometry, int channels) : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    private readonly DepthwisePass _forward = DepthwisePass.Forward(geometry, channels);
    private readonly DepthwisePass _backward = DepthwisePass.BackwardInput(geometry, channels);
    private readonly DepthwiseWeightGradient _weights = new(geometry, channels);

    public override int ForwardPackedLength => _forward.PackedLength<TVector>();

    public override int BackwardPackedLength => _backward.PackedLength<TVector>();

    public override int ScratchLength => _weights.ScratchLength;

    public override void PackForward(float* weights, float* bias, float* packed) => _forward.Pack<TVector>(weights, bias, packed);

    public override void PackBackward(float* weights, float* packed) => _backward.Pack<TVector>(weights, null, packed);

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images) => _forward.Run<TVector>(x, packed, y, images);

    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images) =>
        _backward.Run<TVector>(dy, packed, dx, images);

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images) =>
        _weights.Run<TVector>(x, dy, dw, scratch, images);
}
