using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Both gradients of a convolution of few input channels that a 2x2 max-pooling alone reads, from the pooling's gradient, a quarter as large, and its winners: the gradient of the convolution's output is
/// never written whole.
/// </summary>
internal sealed unsafe class PooledGradient<TVector>(in Conv2DGeometry geometry, int inputChannels, int outputChannels)
    where TVector : struct, IVector<TVector>
{
    private readonly FoldedInputGradient _inputs = new(geometry, inputChannels, outputChannels, isPooled: true);
    private readonly PooledWeightGradient _weights = new(geometry, inputChannels, outputChannels);

    public int PackedLength => _inputs.PackedLength<TVector>();

    public int ScratchLength => Math.Max(_inputs.ScratchLength, _weights.ScratchLength);

    /// <summary>Packs the weights for the input gradient.</summary>
    public void Pack(float* weights, float* packed) => _inputs.Pack<TVector>(weights, packed, Share.All);

    /// <summary>Writes dx and adds to dw; null for what is not wanted. A pooled gradient without a winner must be 0.</summary>
    public void Run(float* x, float* pooled, byte* winners, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        if (dx != null)
            _inputs.Run<TVector>(pooled, winners, packed, dx, scratch, images);

        if (dw != null)
            _weights.Run<TVector>(x, pooled, winners, dw, scratch, images);
    }
}
