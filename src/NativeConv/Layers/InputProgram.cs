namespace NativeConv.Layers;

/// <summary>Copies the caller's images to where the plan wants them.</summary>
internal sealed unsafe class InputProgram(NodeBinding node) : LayerProgram
{
    private readonly int _length = node.OutputShape.Length;

    /// <summary>The caller's images; the executor sets it before a run.</summary>
    public float* Images { get; set; }

    public override bool CanRunRows => true;

    public override void ForwardRows(int image, float* x, float* y, int first, int end)
    {
        int row = _length / node.OutputShape.Height;
        long bytes = (long)(end - first) * row * sizeof(float);
        Buffer.MemoryCopy(Images + ((nint)image * _length) + ((nint)first * row), y + ((nint)first * row), bytes, bytes);
    }

    public override void Forward(int phase, in Work work)
    {
        long bytes = (long)work.Count * _length * sizeof(float);
        Buffer.MemoryCopy(Images + ((nint)work.First * _length), node.Output.At(work), bytes, bytes);
    }

    public override void Backward(int phase, in Work work)
    {
    }
}
