using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv;

/// <summary>
/// Pointwise convolution: y[h, w, o] = b[o] + sum over i of x[h, w, i] * w[0, 0, i, o]. Input [height, width, channels], output [height, width,
/// filters]; kernel [1, 1, channels, filters], bias [filters].
/// </summary>
public sealed class PointwiseConv2D : Layer
{
    /// <summary>Describes a pointwise convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no filter.</exception>
    public PointwiseConv2D(int filters)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(filters);
        Filters = filters;
    }

    /// <inheritdoc/>
    public override string Kind => "pointwise_conv2d";

    /// <summary>Output channels.</summary>
    public int Filters { get; }

    /// <summary>Whether a bias is added.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>How the kernel starts; null for Glorot uniform, or He normal where a ReLU follows.</summary>
    public Initializer? KernelInitializer { get; init; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0] with { Channels = Filters };

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs)
    {
        int channels = inputs[0].Channels;
        var kernel = new ParameterDescription("kernel", new(1, 1, channels, Filters), ParameterRole.Kernel, KernelInitializer, channels, Filters);
        return UseBias ? [kernel, new("bias", new(Filters), ParameterRole.Bias)] : [kernel];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => (long)inputs[0].Length * Filters;

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("filters", Filters);
        configuration.Set("bias", UseBias);
    }

    internal static PointwiseConv2D From(LayerConfiguration configuration) =>
        new(configuration.Int32("filters")) { UseBias = configuration.Boolean("bias") };

    internal override bool IsConvolution => true;

    internal override bool IsPixelwise => true;

    internal override Layer WithBias() => WithBias(From);

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding)
    {
        ImageShape input = binding.InputShapes[0];
        var geometry = new Conv2DGeometry(input.Height, input.Width, 1, 1, 1, Padding.Valid);
        Rectifier rectifier = Rectifier.Of(binding.FusedActivation)!.Value;
        return new ConvolutionProgram<TVector>(binding, ConvolutionAlgorithm<TVector>.Dense(geometry, input.Channels, Filters, 1, rectifier, binding.IsGradientSparse), UseBias, pooled: null);
    }
}
