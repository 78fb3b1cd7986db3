using NativeConv.Operators;

namespace NativeConv;

/// <summary>
/// Depthwise 2-D convolution on spans: y[n, oh, ow, c m + q] = b[c m + q] + Σ x[n, oh s - pad + kh d, ow s - pad + kw d, c] w[kh, kw, c, q], with m outputs a channel, cells
/// outside the image adding nothing.
/// </summary>
public static class DepthwiseConvolution
{
    /// <summary>Writes y.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="kernel">[kh, kw, c, m].</param>
    /// <param name="bias">[c m]; empty for none.</param>
    /// <param name="y">[n, oh, ow, c m], overwritten; may not overlap an input.</param>
    /// <param name="multiplier">Outputs a channel m.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void Forward(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> kernel, ReadOnlySpan<float> bias, Span<float> y,
        int multiplier = 1, ExecutionOptions? execution = null) => Call(geometry, channels, multiplier, execution).Forward(x, kernel, bias, y);

    /// <summary>Writes the loss's gradient by x.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, c m].</param>
    /// <param name="kernel">[kh, kw, c, m].</param>
    /// <param name="dx">[n, h, w, c], overwritten; may not overlap an input.</param>
    /// <param name="multiplier">Outputs a channel m.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardInput(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> dy, ReadOnlySpan<float> kernel, Span<float> dx,
        int multiplier = 1, ExecutionOptions? execution = null) => Call(geometry, channels, multiplier, execution).BackwardInput(dy, kernel, dx);

    /// <summary>Writes the loss's gradient by the kernel, summed over the batch; that by the bias is dy's sum over images and pixels.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, c m].</param>
    /// <param name="kernelGradient">[kh, kw, c, m], overwritten.</param>
    /// <param name="multiplier">Outputs a channel m.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardWeights(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> kernelGradient,
        int multiplier = 1, ExecutionOptions? execution = null) => Call(geometry, channels, multiplier, execution).BackwardWeights(x, dy, kernelGradient);

    private static ConvolutionCall Call(in Conv2DGeometry geometry, int channels, int multiplier, ExecutionOptions? execution)
    {
        Require.Positive(channels, nameof(channels));
        Require.Positive(multiplier, nameof(multiplier));
        return new(geometry, channels, checked(channels * multiplier), groups: 0, execution);
    }
}
