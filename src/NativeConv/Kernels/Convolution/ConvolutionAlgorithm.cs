using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// How one convolution layer is computed, forward and backward, chosen once for its shapes. Immutable and shared by all workers; weights are
/// packed by the caller, once a step. Results are overwritten, weight gradients added to.
/// </summary>
internal abstract unsafe class ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>Picks the algorithm of a dense or grouped convolution.</summary>
    public static ConvolutionAlgorithm<TVector> Dense(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        new GeneralConvolution<TVector>(geometry, inputChannels, outputChannels, groups);

    /// <summary>Picks the algorithm of a depthwise convolution.</summary>
    public static ConvolutionAlgorithm<TVector> Depthwise(in Conv2DGeometry geometry, int channels, int multiplier) => multiplier switch
    {
        1 => new PlainDepthwiseConvolution<TVector>(geometry, channels),
        // One channel to many is a dense convolution, and many outputs a channel fill vectors by themselves.
        _ when channels == 1 || multiplier >= DepthwiseShape.FewChannels => new GeneralConvolution<TVector>(geometry, channels, channels * multiplier, channels),
        _ => new MultipliedDepthwiseConvolution<TVector>(geometry, channels, multiplier),
    };

    /// <summary>Floats of packed weights, forward and for the input gradient.</summary>
    public abstract int ForwardPackedLength { get; }

    /// <inheritdoc cref="ForwardPackedLength"/>
    public abstract int BackwardPackedLength { get; }

    /// <summary>Floats of a worker's scratch.</summary>
    public virtual int ScratchLength => 0;

    public abstract void PackForward(float* weights, float* bias, float* packed);

    public abstract void PackBackward(float* weights, float* packed);

    /// <summary>One worker's share of the packing, where it can be shared out; otherwise the first share is all.</summary>
    public virtual void PackForward(float* weights, float* bias, float* packed, Share share)
    {
        if (share.Index == 0)
            PackForward(weights, bias, packed);
    }

    /// <inheritdoc cref="PackForward(float*, float*, float*, Share)"/>
    public virtual void PackBackward(float* weights, float* packed, Share share)
    {
        if (share.Index == 0)
            PackBackward(weights, packed);
    }

    public abstract void Forward(float* x, float* packed, float* y, float* scratch, int images);

    public abstract void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images);

    public abstract void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images);

    /// <summary>One worker's share of a forward pass over few images: of their rows, where the algorithm can be shared out; otherwise the first share is all.</summary>
    public virtual void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share)
    {
        if (share.Index == 0)
            Forward(x, packed, y, scratch, images);
    }

    /// <inheritdoc cref="Forward(float*, float*, float*, float*, int, Share)"/>
    public virtual void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share)
    {
        if (share.Index == 0)
            BackwardInput(dy, packed, dx, scratch, images);
    }

    /// <summary>One worker's share of a weight gradient: of its channels, where the algorithm can be shared out; otherwise the first share is all.</summary>
    public virtual void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share)
    {
        if (share.Index == 0)
            BackwardWeights(x, dy, dw, scratch, images);
    }

    /// <summary>Both gradients: the same bits as one after the other, but where it can be in one sweep.</summary>
    public virtual void Backward(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        BackwardInput(dy, packed, dx, scratch, images);
        BackwardWeights(x, dy, dw, scratch, images);
    }
}
