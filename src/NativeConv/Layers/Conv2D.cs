using NativeConv.Kernels;
using NativeConv.Layers;

namespace NativeConv;

/// <summary>
/// 2-D convolution: y[oh, ow, o] = b[o] + sum over kh, kw, i of x[oh*stride + kh*dilation - pad, ow*stride + kw*dilation - pad, i] * w[kh, kw, i, o]. Input
/// [height, width, channels], output [out height, out width, filters]; kernel [kh, kw, channels/groups, filters], bias [filters]. With
/// groups, output group g sees input group g alone.
/// </summary>
public sealed class Conv2D : Layer
{
    /// <summary>Describes a convolution.</summary>
    /// <param name="filters">Output channels.</param>
    /// <param name="kernelSize">Rows and columns of taps.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public Conv2D(int filters, Size2D kernelSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(filters);
        Filters = filters;
        KernelSize = kernelSize;
    }

    /// <inheritdoc/>
    public override string Kind => "conv2d";

    /// <summary>Output channels.</summary>
    public int Filters { get; }

    /// <summary>Rows and columns of taps.</summary>
    public Size2D KernelSize { get; }

    /// <summary>Cells between two outputs' windows.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Cells between two taps.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>The padding; <see cref="Padding.Same"/> unless set.</summary>
    public Padding Padding { get; init; }

    /// <summary>Groups of channels that do not see each other.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a bias is added.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>How the kernel starts; null for Glorot uniform, or He normal where a ReLU follows.</summary>
    public Initializer? KernelInitializer { get; init; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs)
    {
        if (Groups < 1 || inputs[0].Channels % Groups != 0 || Filters % Groups != 0)
            throw new ArgumentException($"{Groups} groups must divide both the input's {inputs[0].Channels} channels and the {Filters} filters.");

        Conv2DGeometry g = Geometry(inputs[0]);
        return new(g.OutputHeight, g.OutputWidth, Filters);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs)
    {
        int taps = KernelSize.Height * KernelSize.Width;
        int channels = inputs[0].Channels / Groups;
        var kernel = new ParameterDescription(
            "kernel", new(KernelSize.Height, KernelSize.Width, channels, Filters), ParameterRole.Kernel, KernelInitializer,
            taps * channels, taps * Filters / Groups);
        return UseBias ? [kernel, new("bias", new(Filters), ParameterRole.Bias)] : [kernel];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) =>
        (long)OutputShape(inputs).Length * KernelSize.Height * KernelSize.Width * (inputs[0].Channels / Groups);

    /// <inheritdoc/>
    public override ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => Windows.Of(KernelSize, Stride, Dilation);

    /// <inheritdoc/>
    public override void Describe(LayerConfiguration configuration)
    {
        configuration.Set("filters", Filters);
        configuration.SetSize("kernel", KernelSize);
        configuration.SetSize("stride", Stride);
        configuration.SetSize("dilation", Dilation);
        configuration.SetPadding("padding", Padding);
        configuration.Set("groups", Groups);
        configuration.Set("bias", UseBias);
    }

    internal static Conv2D From(LayerConfiguration configuration) => new(configuration.Int32("filters"), configuration.Size("kernel"))
    {
        Stride = configuration.Size("stride"),
        Dilation = configuration.Size("dilation"),
        Padding = configuration.Padding("padding"),
        Groups = configuration.Int32("groups"),
        UseBias = configuration.Boolean("bias"),
    };

    internal override bool IsConvolution => true;

    internal override bool IsPixelwise => KernelSize == 1 && Stride == 1 && Groups == 1 && (Padding.IsSame || Padding.IsValid);

    internal override bool CanTakePooledGradient(ImageShape input) => PooledWeightGradient.Fits(Geometry(input), input.Channels, Filters, Groups);

    internal override Layer WithBias() => WithBias(From);

    internal override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new ConvolutionProgram<TVector>(
        binding,
        ConvolutionAlgorithm<TVector>.Dense(Geometry(binding.InputShapes[0]), binding.InputShapes[0].Channels, Filters, Groups, Rectifier.Of(binding.FusedActivation)!.Value, binding.IsGradientSparse),
        UseBias,
        binding.Pooling == null ? null : new(Geometry(binding.InputShapes[0]), binding.InputShapes[0].Channels, Filters));

    private Conv2DGeometry Geometry(ImageShape input) => new(input.Height, input.Width, KernelSize, Stride, Dilation, Padding);
}
