using NativeConv.Tensors;

namespace NativeConv.Tests.Support;

/// <summary>
/// While it is there, every block that the library sets aside on this thread lies between guards of its own: a model's values, gradients and statistics, packed weights, what optimizers
/// remember, sums and scratch. What was made meanwhile must not be used afterwards.
/// </summary>
internal sealed class GuardedBlocks : IDisposable
{
    private readonly List<GuardedBlock<float>> _all = [];

    public GuardedBlocks(Guard guard) => AlignedMemory.TakeFrom(length =>
    {
        var block = new GuardedBlock<float>(length, guard);
        _all.Add(block);
        return block;
    });

    /// <summary>How many blocks there are.</summary>
    public int Count => _all.Count;

    public void Dispose()
    {
        AlignedMemory.TakeFrom(null);
        foreach (IDisposable block in _all)
            block.Dispose();
    }
}
