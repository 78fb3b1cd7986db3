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

    /// <summary>The shape of one image of an input.</summary>
    public ImageShape InputShape(int index = 0) => _node.InputShapes[index];

    /// <summary>The shape of one image of the output.</summary>
    public ImageShape OutputShape => _node.OutputShape;

    /// <summary>Whether this is a training step.</summary>
    public bool IsTraining => _node.Training;

    /// <summary>Where the output goes, [images, height, width, channels]: overwrite all of it.</summary>
    public Span<float> Output => new(_node.Output.At(_work), _work.Count * _node.OutputShape.Length);

    /// <summary>An input, [images, height, width, channels].</summary>
    public ReadOnlySpan<float> Input(int index = 0) => new(_node.Inputs[index].At(_work), _work.Count * _node.InputShapes[index].Length);

    /// <summary>A parameter's values, in the order of <see cref="Layer.Parameters"/>.</summary>
    public ReadOnlySpan<float> Parameter(int index) => new(_node.Parameters[index].Value, _node.Parameters[index].Length);
}
