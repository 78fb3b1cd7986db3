using NativeConv.Kernels;
using NativeConv.Layers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// What a layer is: its configuration, the shape of its output, the parameters it wants. Immutable; it holds no weights and no activations, so one
/// layer may stand in many models and be used by many threads. Derive a layer of your own from <see cref="CustomLayer"/>.
/// </summary>
public abstract class Layer
{
    private protected Layer()
    {
    }

    /// <summary>The layer's kind in snake case, as <c>conv2d</c>: names and model files are made of it.</summary>
    public abstract string Kind { get; }

    /// <summary>How many inputs it takes; -1 for two or more.</summary>
    public virtual int InputCount => 1;

    /// <summary>The shape of one image's output.</summary>
    /// <param name="inputs">The shapes of one image's inputs.</param>
    /// <exception cref="ArgumentException">The layer cannot take these shapes; the message says what it expects.</exception>
    public abstract ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs);

    /// <summary>The parameters it wants for inputs of these shapes, in a fixed order.</summary>
    public virtual IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs) => [];

    /// <summary>Multiply-adds that the forward pass of one image costs, taps outside the image counted.</summary>
    public virtual long MultiplyAdds(ReadOnlySpan<ImageShape> inputs) => 0;

    /// <summary>How far one output sees in the layer's input: the window it slides, for the receptive field in a model's summary.</summary>
    public virtual ReceptiveWindow Window(ReadOnlySpan<ImageShape> inputs) => ReceptiveWindow.Point;

    /// <summary>Writes what is needed to build the layer again.</summary>
    public virtual void Describe(LayerConfiguration configuration)
    {
    }

    /// <summary>Whether its program can apply the activation that follows in the same sweep.</summary>
    internal virtual bool CanFuse(Activation activation) => IsConvolution && Rectifier.Of(activation) != null;

    /// <summary>Whether its program is the one of any convolution.</summary>
    internal virtual bool IsConvolution => false;

    /// <summary>Whether every pixel of the output, and of each input's gradient, depends on the same pixel alone, so that bands of rows can be taken for images.</summary>
    internal virtual bool IsPixelwise => false;

    /// <summary>Whether its program can take the gradient of a 2x2 max-pooling behind it in place of its own.</summary>
    internal virtual bool CanTakePooledGradient(ImageShape input) => false;

    /// <summary>Whether values may be initialized as if this layer were not there, when asking what activation follows.</summary>
    internal virtual bool IsTransparentToInitializer => false;

    /// <summary>The same layer with a bias, where its outputs are sums of products by output channel, the last axis of its kernel; else null.</summary>
    internal virtual Layer? WithBias() => null;

    private protected Layer WithBias(Func<LayerConfiguration, Layer> create)
    {
        var configuration = new LayerConfiguration();
        Describe(configuration);
        configuration.Set("bias", true);
        return create(configuration);
    }

    internal abstract LayerProgram CreateProgram<TVector>(NodeBinding binding)
        where TVector : struct, IVector<TVector>;
}
