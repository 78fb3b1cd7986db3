using NativeConv.Layers;

namespace NativeConv;

/// <summary>A range of images on their way backward through a layer of your own.</summary>
public readonly unsafe ref struct LayerBackward
{
    private readonly NodeBinding _node;
    private readonly Work _work;

    internal LayerBackward(NodeBinding node, in Work work)
    {
        _node = node;
        _work = work;
    }

    /// <summary>How many images the range has.</summary>
    public int Images => _work.Count;

    /// <summary>The shape of one image of an input.</summary>
    public ImageShape InputShape(int index = 0) => _node.InputShapes[index];

    /// <summary>The shape of one image of the output.</summary>
    public ImageShape OutputShape => _node.OutputShape;

    /// <summary>The loss's gradient by the output, [images, height, width, channels].</summary>
    public ReadOnlySpan<float> OutputGradient => new(_node.OutputGradient.At(_work), _work.Count * _node.OutputShape.Length);

    /// <summary>What the layer wrote forward.</summary>
    public ReadOnlySpan<float> Output => new(_node.Output.At(_work), _work.Count * _node.OutputShape.Length);

    /// <summary>What the layer read forward.</summary>
    public ReadOnlySpan<float> Input(int index = 0) => new(_node.Inputs[index].At(_work), _work.Count * _node.InputShapes[index].Length);

    /// <summary>Where the gradient by an input goes: overwrite all of it. Empty where nothing needs it.</summary>
    public Span<float> InputGradient(int index = 0) => _node.InputGradients[index].IsNull
        ? default
        : new(_node.InputGradients[index].At(_work), _work.Count * _node.InputShapes[index].Length);

    /// <inheritdoc cref="LayerForward.Parameter"/>
    public ReadOnlySpan<float> Parameter(int index) => new(_node.Parameters[index].Value, _node.Parameters[index].Length);

    /// <summary>Whether the parameters' gradients are wanted: not where the layer is frozen.</summary>
    public bool WantsParameterGradients => _node.ParametersTrainable;

    /// <summary>A parameter's gradient over these images: add to it. Where it is not wanted this is a place that nothing reads.</summary>
    public Span<float> ParameterGradient(int index)
    {
        ParameterView parameter = _node.Parameters[index];
        bool isWanted = _node.ParametersTrainable && parameter.Gradient != null;
        return new(isWanted ? parameter.Private(_work) : _work.Scratch, parameter.Length);
    }
}
