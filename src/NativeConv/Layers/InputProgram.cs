namespace NativeConv.Layers;

/// <summary>Copies the caller's images to where the plan wants them.</summary>
internal sealed unsafe class InputProgram(NodeBinding node) : LayerProgram
{
    private readonly int _length = node.OutputShape.Length;

    /// <summary>The caller's images; the executor sets it before a run.</summary>
    public float* Images { get; set; }

    public override void Forward(int phase, in Work work)
    {
        long bytes = (long)work.Count * _length * sizeof(float);
        Buffer.MemoryCopy(Images + ((nint)work.First * _length), node.Output.At(work), bytes, bytes);
    }

    public override void Backward(int phase, in Work work)
    {
    }
}
