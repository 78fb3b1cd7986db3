using NativeConv.Layers;

namespace NativeConv;

/// <summary>A range of images on their way forward through a layer of your own.</summary>
public readonly unsafe ref struct LayerForward
{
    private readonly NodeBinding _node;
    private readonly Work _work;

    internal LayerForward(NodeBinding node, in Work work)
    {
        _node = node;
        _work = work;
    }

    /// <summary>How many images the range has.</summary>
    public int Images => _work.Count;

    /// <summary>Whether this is a training step.</summary>
    public bool IsTraining => _node.Training;

    /// <summary>Where the output goes, [images, height, width, channels]: overwrite all of it.</summary>
    public Span<float> Output => new(_node.Output.At(_work), _work.Count * _node.OutputShape.Length);

    /// <summary>An input, [images, height, width, channels].</summary>
    public ReadOnlySpan<float> Input(int index = 0) => new(_node.Inputs[index].At(_work), _work.Count * _node.InputShapes[index].Length);

    /// <summary>A parameter, in the order of <see cref="Layer.Parameters"/>, starting a block at least as long as it is.</summary>
    /// <param name="index">Which parameter.</param>
    /// <param name="length">How many values it has.</param>
    public ReadOnlySpan<float> Parameter(int index, int length) => new(_node.Parameters[index].Value, length);
}

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
    public ReadOnlySpan<float> Parameter(int index, int length) => new(_node.Parameters[index].Value, length);

    /// <summary>A parameter's gradient over these images: add to it.</summary>
    /// <param name="index">Which parameter.</param>
    /// <param name="length">How many values it has.</param>
    public Span<float> ParameterGradient(int index, int length) => new(_node.Parameters[index].Private(_work), length);
}

/// <summary>
/// The base of a layer of your own: shapes, parameters, and two passes over a range of images. Both may run on several threads at once for different
/// images, so keep no state in the layer.
/// </summary>
public abstract class CustomLayer : Layer
{
    /// <summary>Writes the output of a range of images.</summary>
    public abstract void Forward(in LayerForward call);

    /// <summary>Writes the gradient by the inputs of a range of images, and adds to the parameters' gradients.</summary>
    public abstract void Backward(in LayerBackward call);

    internal sealed override LayerProgram CreateProgram<TVector>(NodeBinding binding) => new Program(binding, this);

    private sealed class Program(NodeBinding node, CustomLayer layer) : LayerProgram
    {
        public override BackwardReads BackwardReads => BackwardReads.Inputs | BackwardReads.Output;

        public override void Forward(int phase, in Work work) => layer.Forward(new LayerForward(node, work));

        public override void Backward(int phase, in Work work) => layer.Backward(new LayerBackward(node, work));
    }
}
