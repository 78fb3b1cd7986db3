using NativeConv.Tensors;

namespace NativeConv.Optimizers;

/// <summary>What an optimizer remembers of one model: a block of moments each as long as the model's parameters, and the steps done.</summary>
internal sealed unsafe class OptimizerState(int moments, int length)
{
    public AlignedMemory Moments { get; } = new((long)moments * length);

    public int Length => length;

    public long TimeStep { get; set; }

    /// <summary>How many kinds of moments there are.</summary>
    public int Kinds => moments;

    /// <summary>The moments of one kind of a parameter.</summary>
    public Memory<float> Moment(int kind, int offset, int count) => Moments.Memory.Slice((kind * length) + offset, count);

    /// <summary>The moments of one kind from a parameter on; null where the optimizer keeps fewer.</summary>
    public float* Moment(int kind, int offset) => kind < moments ? Moments.Pointer + ((nint)kind * length) + offset : null;
}
