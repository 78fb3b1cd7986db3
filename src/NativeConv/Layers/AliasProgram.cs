namespace NativeConv.Layers;

/// <summary>A layer whose output is its input. The gradient is shared too, unless other layers add to the input's.</summary>
internal sealed unsafe class AliasProgram(NodeBinding node) : LayerProgram
{
    public override bool IsAlias => true;

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
