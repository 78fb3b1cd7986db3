namespace NativeConv.Layers;

/// <summary>A layer whose output is its input. The gradient is shared too, unless other layers add to the input's.</summary>
internal sealed unsafe class AliasProgram(NodeBinding node) : LayerProgram
{
    public override bool IsAlias => true;

    public override int OwnRows => node.InputShapes[0] == node.OutputShape ? 1 : 0;

    public override bool CanRunInPlace => true;

    public override void ForwardRows(int image, float* x, float* y, int first, int end)
    {
        if (x == y)
            return;

        nint row = (nint)node.OutputShape.Width * node.OutputShape.Channels;
        long bytes = (end - first) * row * sizeof(float);
        Buffer.MemoryCopy(x + (first * row), y + (first * row), bytes, bytes);
    }

    public override void Forward(int phase, in Work work)
    {
    }

    public override void Backward(int phase, in Work work)
    {
        if (node.InputGradients[0].IsNull)
            return;

        long bytes = (long)work.Count * node.OutputShape.Length * sizeof(float);
        Buffer.MemoryCopy(node.OutputGradient.At(work), node.InputGradients[0].At(work), bytes, bytes);
    }
}
