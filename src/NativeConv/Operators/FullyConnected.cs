using NativeConv.Operators;

namespace NativeConv;

/// <summary>The dense layer's arithmetic on spans: y[n, o] = b[o] + Σ x[n, i] w[i, o].</summary>
public static class FullyConnected
{
    /// <summary>Writes y.</summary>
    /// <param name="inputs">Values in.</param>
    /// <param name="outputs">Values out.</param>
    /// <param name="x">[n, inputs].</param>
    /// <param name="kernel">[inputs, outputs].</param>
    /// <param name="bias">[outputs]; empty for none.</param>
    /// <param name="y">[n, outputs], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void Forward(
        int inputs, int outputs, ReadOnlySpan<float> x, ReadOnlySpan<float> kernel, ReadOnlySpan<float> bias, Span<float> y, ExecutionOptions? execution = null) =>
        Call(inputs, outputs, execution).Forward(x, kernel, bias, y);

    /// <summary>Writes the loss's gradient by x.</summary>
    /// <param name="inputs">Values in.</param>
    /// <param name="outputs">Values out.</param>
    /// <param name="dy">The gradient by y, [n, outputs].</param>
    /// <param name="kernel">[inputs, outputs].</param>
    /// <param name="dx">[n, inputs], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardInput(
        int inputs, int outputs, ReadOnlySpan<float> dy, ReadOnlySpan<float> kernel, Span<float> dx, ExecutionOptions? execution = null) =>
        Call(inputs, outputs, execution).BackwardInput(dy, kernel, dx);

    /// <summary>Writes the loss's gradient by the kernel, summed over the batch; that by the bias is dy's sum over the batch.</summary>
    /// <param name="inputs">Values in.</param>
    /// <param name="outputs">Values out.</param>
    /// <param name="x">[n, inputs].</param>
    /// <param name="dy">The gradient by y, [n, outputs].</param>
    /// <param name="kernelGradient">[inputs, outputs], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or number does not fit.</exception>
    public static void BackwardWeights(
        int inputs, int outputs, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> kernelGradient, ExecutionOptions? execution = null) =>
        Call(inputs, outputs, execution).BackwardWeights(x, dy, kernelGradient);

    private static ConvolutionCall Call(int inputs, int outputs, ExecutionOptions? execution)
    {
        Require.Positive(inputs, nameof(inputs));
        Require.Positive(outputs, nameof(outputs));
        return new(new(1, 1, 1, 1, 1, Padding.Valid), inputs, outputs, groups: 1, execution);
    }
}
