using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv;

/// <summary>
/// Depthwise 2-D convolution: each channel on its own, y[oh, ow, c*m + q] = b[c*m + q] + sum over kh, kw of x[..., c] * w[kh, kw, c, q] for q below the
/// multiplier m. Input [height, width, channels], output [out height, out width, channels*m]; kernel [kh, kw, channels, m], bias [channels*m].
/// </summary>
public sealed class DepthwiseConv2D : Layer
{
    /// <summary>Describes a depthwise convolution.</summary>
    /// <param name="kernelSize">Rows and columns of taps.</param>
    public DepthwiseConv2D(Size2D kernelSize) => KernelSize = kernelSize;

    /// <inheritdoc/>
    public override string Kind => "depthwise_conv2d";

    /// <summary>Rows and columns of taps.</summary>
    public Size2D KernelSize { get; }

    /// <summary>Outputs a channel.</summary>
    public int DepthMultiplier { get; init; } = 1;

    /// <summary>Cells between two outputs' windows.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Cells between two taps.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>The padding; <see cref="Padding.Same"/> unless set.</summary>
    public Padding Padding { get; init; }

    /// <summary>Whether a bias is added.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>How the kernel starts; null for Glorot uniform, or He normal where a ReLU follows.</summary>
    public Initializer? KernelInitializer { get; init; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        if (DepthMultiplier < 1)
            throw new ArgumentException($"The depth multiplier must be at least 1, but is {DepthMultiplier}.");

        Conv2DGeometry g = Geometry(inputs[0]);
        return new(g.OutputHeight, g.OutputWidth, checked(inputs[0].Channels * DepthMultiplier));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs)
    {
        int taps = KernelSize.Height * KernelSize.Width, channels = inputs[0].Channels;
        var kernel = new ParameterDescription(
            "kernel", new(KernelSize.Height, KernelSize.Width, channels, DepthMultiplier), ParameterRole.Kernel, KernelInitializer,
            taps, taps * DepthMultiplier);
        return UseBias ? [kernel, new("bias", new(channels * DepthMultiplier), ParameterRole.Bias)] : [kernel];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => (long)OutputShape(inputs).Length * KernelSize.Height * KernelSize.Width;

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => Windows.Of(KernelSize, Stride, Dilation);

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.SetSize("kernel", KernelSize);
        configuration.Set("multiplier", DepthMultiplier);
        configuration.SetSize("stride", Stride);
        configuration.SetSize("dilation", Dilation);
        configuration.SetPadding("padding", Padding);
        configuration.Set("bias", UseBias);
    }

    internal static DepthwiseConv2D From(LayerConfiguration configuration) => new(configuration.Size("kernel"))
    {
        DepthMultiplier = configuration.Int32("multiplier"),
        Stride = configuration.Size("stride"),
        Dilation = configuration.Size("dilation"),
        Padding = configuration.Padding("padding"),
        UseBias = configuration.Boolean("bias"),
    };

    internal override bool IsConvolution => true;

    // One channel to many is a dense convolution.
    internal override bool CanTakePooledGradient(ImageShape input) => input.Channels == 1 && PooledWeightGradient.Fits(Geometry(input), 1, DepthMultiplier, groups: 1);

    internal override Layer WithBias() => WithBias(From);

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new ConvolutionProgram<TVector>(
        binding,
        ConvolutionAlgorithm<TVector>.Depthwise(Geometry(binding.InputShapes[0]), binding.InputShapes[0].Channels, DepthMultiplier, Rectifier.Of(binding.FusedActivation)!.Value),
        UseBias,
        binding.Pooling == null ? null : new(Geometry(binding.InputShapes[0]), 1, DepthMultiplier));

    private Conv2DGeometry Geometry(ImageShape input) => new(input.Height, input.Width, KernelSize, Stride, Dilation, Padding);
}
