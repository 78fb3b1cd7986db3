using NativeConv.Operators;

namespace NativeConv;

/// <summary>
/// Dense and grouped 2-D convolution on spans: y[n, oh, ow, o] = b[o] + Σ x[n, oh s - pad + kh d, ow s - pad + kw d, i] w[kh, kw, i, o], cells outside the image adding
/// nothing. A 1 x 1 kernel makes it a pointwise convolution.
/// </summary>
public static class Convolution
{
    /// <summary>Writes y.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="filters">Output channels o.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="kernel">[kh, kw, c / groups, o].</param>
    /// <param name="bias">[o]; empty for none.</param>
    /// <param name="y">[n, oh, ow, o], overwritten; may not overlap an input.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void Forward(
        in Conv2DGeometry geometry, int channels, int filters, ReadOnlySpan<float> x, ReadOnlySpan<float> kernel, ReadOnlySpan<float> bias, Span<float> y,
        int groups = 1, ExecutionOptions? execution = null) => Call(geometry, channels, filters, groups, execution).Forward(x, kernel, bias, y);

    /// <summary>Writes the loss's gradient by x.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="filters">Output channels o.</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, o].</param>
    /// <param name="kernel">[kh, kw, c / groups, o].</param>
    /// <param name="dx">[n, h, w, c], overwritten; may not overlap an input.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardInput(
        in Conv2DGeometry geometry, int channels, int filters, ReadOnlySpan<float> dy, ReadOnlySpan<float> kernel, Span<float> dx,
        int groups = 1, ExecutionOptions? execution = null) => Call(geometry, channels, filters, groups, execution).BackwardInput(dy, kernel, dx);

    /// <summary>Writes the loss's gradient by the kernel, summed over the batch; that by the bias is dy's sum over images and pixels.</summary>
    /// <param name="geometry">Sizes, strides, dilations and pads.</param>
    /// <param name="channels">Input channels c.</param>
    /// <param name="filters">Output channels o.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, o].</param>
    /// <param name="kernelGradient">[kh, kw, c / groups, o], overwritten.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardWeights(
        in Conv2DGeometry geometry, int channels, int filters, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> kernelGradient,
        int groups = 1, ExecutionOptions? execution = null) => Call(geometry, channels, filters, groups, execution).BackwardWeights(x, dy, kernelGradient);

    private static ConvolutionCall Call(in Conv2DGeometry geometry, int channels, int filters, int groups, ExecutionOptions? execution)
    {
        Require.Positive(channels, nameof(channels));
        Require.Positive(filters, nameof(filters));
        return groups >= 1 && channels % groups == 0 && filters % groups == 0
            ? new(geometry, channels, filters, groups, execution)
            : throw new ArgumentException($"The groups must divide {channels} channels and {filters} filters, but are {groups}.", nameof(groups));
    }
}
