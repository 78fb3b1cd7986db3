using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// How one convolution layer is computed, forward and backward, chosen once for its shapes. Immutable and shared by all workers; weights are
/// packed by the caller, once a step. Results are overwritten, weight gradients added to.
/// </summary>
internal abstract unsafe class ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>Picks the algorithm of a dense or grouped convolution, whose results are rectified where that is asked for.</summary>
    public static ConvolutionAlgorithm<TVector> Dense(
        in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups, Rectifier rectifier = default, bool isGradientSparse = false) =>
        isGradientSparse && SparseGradientConvolution<TVector>.Fits(geometry, inputChannels, outputChannels, groups)
            ? new SparseGradientConvolution<TVector>(geometry, inputChannels, outputChannels, rectifier)
            : new GeneralConvolution<TVector>(geometry, inputChannels, outputChannels, groups, rectifier);

    /// <summary>Picks the algorithm of a depthwise convolution, likewise, and by the processor's cache, which changes no bit.</summary>
    public static ConvolutionAlgorithm<TVector> Depthwise(in Conv2DGeometry geometry, int channels, int multiplier, Rectifier rectifier = default) => multiplier switch
    {
        1 => new PlainDepthwiseConvolution<TVector>(geometry, channels, rectifier, CompactGroups.IsGainWith(FirstLevelCache.Ways)),
        // One channel to many is a dense convolution, and many outputs a channel fill vectors by themselves.
        _ when channels == 1 || multiplier >= DepthwiseShape.FewChannels => new GeneralConvolution<TVector>(geometry, channels, channels * multiplier, channels, rectifier),
        _ => new MultipliedDepthwiseConvolution<TVector>(geometry, channels, multiplier, rectifier),
    };

    /// <summary>Floats of packed weights, forward and for the input gradient.</summary>
    public abstract int ForwardPackedLength { get; }

    /// <inheritdoc cref="ForwardPackedLength"/>
    public abstract int BackwardPackedLength { get; }

    /// <summary>Whether weight gradients are [kh, kw, cout, cin] instead of [kh, kw, cin, cout].</summary>
    public virtual bool IsGradientTransposed => false;

    /// <summary>Floats of a worker's scratch.</summary>
    public virtual int ScratchLength => 0;

    public void PackForward(float* weights, float* bias, float* packed) => PackForward(weights, bias, packed, Share.All);

    public void PackBackward(float* weights, float* packed) => PackBackward(weights, packed, Share.All);

    public void Forward(float* x, float* packed, float* y, float* scratch, int images) => Forward(x, packed, y, scratch, images, Share.All);

    public void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images) => BackwardInput(dy, packed, dx, scratch, images, Share.All);

    public void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images) => BackwardWeights(x, dy, dw, scratch, images, Share.All);

    /// <summary>One worker's share of the packing. Here and below: where an algorithm cannot be shared out, the first share is all of it.</summary>
    public abstract void PackForward(float* weights, float* bias, float* packed, Share share);

    /// <inheritdoc cref="PackForward(float*, float*, float*, Share)"/>
    public abstract void PackBackward(float* weights, float* packed, Share share);

    /// <summary>One worker's share of the rows of few images.</summary>
    public abstract void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share);

    /// <summary>The same for images that come from memory, not from a cache: those of a batch that is larger than the caches, however few they are themselves.</summary>
    public virtual void ForwardFromMemory(float* x, float* packed, float* y, float* scratch, int images, Share share) => Forward(x, packed, y, scratch, images, share);

    /// <inheritdoc cref="Forward(float*, float*, float*, float*, int, Share)"/>
    public abstract void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share);

    /// <summary>Whether <see cref="ForwardAsking"/> and <see cref="BackwardAsking"/> ask for anything.</summary>
    public virtual bool CanAsk => false;

    /// <summary>The forward pass, which asks meanwhile for memory that is needed after it; null for none.</summary>
    public virtual void ForwardAsking(float* x, float* packed, float* y, float* scratch, int images, FetchQueue* ahead) => Forward(x, packed, y, scratch, images, Share.All);

    /// <summary>The gradients, likewise; null for one that nothing needs.</summary>
    public virtual void BackwardAsking(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images, FetchQueue* ahead)
    {
        if (dx != null && dw != null)
            Backward(x, dy, packed, dx, dw, scratch, images);
        else if (dx != null)
            BackwardInput(dy, packed, dx, scratch, images);
        else if (dw != null)
            BackwardWeights(x, dy, dw, scratch, images);
    }

    /// <summary>Floats of the scratch of <see cref="ForwardUnpacked"/> and of <see cref="BackwardInputUnpacked"/>; 0 where an algorithm does not offer it.</summary>
    public virtual int ForwardPanelLength => 0;

    /// <inheritdoc cref="ForwardPanelLength"/>
    public virtual int BackwardPanelLength => 0;

    /// <summary>The same bits from weights and biases as they are stored, which a panel takes in a few at a time: one worker's share of the result's channels.</summary>
    public virtual void ForwardUnpacked(float* x, float* weights, float* bias, float* y, float* panel, int images, Share share) => throw new NotSupportedException();

    /// <inheritdoc cref="ForwardUnpacked"/>
    public virtual void BackwardInputUnpacked(float* dy, float* weights, float* dx, float* panel, int images, Share share) => throw new NotSupportedException();

    /// <summary>Input rows that an output row reads and no other does; 0 where neighbours share rows.</summary>
    public virtual int OwnRows => 0;

    /// <summary>Whether <see cref="ForwardRows"/> may be used.</summary>
    public virtual bool CanRunRows => false;

    /// <summary>Rows of one image's output, first up to end; addresses are those of the image's first rows.</summary>
    public virtual void ForwardRows(float* x, float* packed, float* y, int first, int end) => throw new NotSupportedException();

    /// <summary>Whether <see cref="BackwardRows"/> may be used.</summary>
    public virtual bool CanRunBackwardRows => false;

    /// <summary>A band of one image's dx, and what the same band of dy adds to dw; null for a gradient that nothing needs. Addresses are those of the image's first rows; what taps see of other bands must be there.</summary>
    public virtual void BackwardRows(float* x, float* dy, float* packed, float* dx, float* dw, Share band) => throw new NotSupportedException();

    /// <summary>The forward pass and the 2x2 max-pooling that covers its output; null where that gains nothing.</summary>
    public virtual PooledConvolution? WithPooling() => null;

    /// <summary>One worker's share of a gradient's channels.</summary>
    public abstract void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share);

    /// <summary>The same for images whose x and dy come from memory, not from a cache: those of a large batch, however few they are themselves.</summary>
    public virtual void BackwardWeightsFromMemory(float* x, float* dy, float* dw, float* scratch, int images, Share share) => BackwardWeights(x, dy, dw, scratch, images, share);

    /// <summary>Whether <see cref="BeginWeights"/> may be used.</summary>
    public virtual bool CanBeginWeights => false;

    /// <summary>As <see cref="BackwardWeights(float*, float*, float*, float*, int, Share)"/> from a gradient of zeros, which need not be in memory: dw is written. There must be an image.</summary>
    public virtual void BeginWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share) => throw new NotSupportedException();

    /// <summary>Both gradients: the same bits as one after the other, but where it helps by parts, while dy is in a cache.</summary>
    public virtual void Backward(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        BackwardInput(dy, packed, dx, scratch, images);
        BackwardWeights(x, dy, dw, scratch, images);
    }
}
