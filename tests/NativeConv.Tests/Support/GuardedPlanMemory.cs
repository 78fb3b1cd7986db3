using NativeConv.Graph;
using NativeConv.Layers;

namespace NativeConv.Tests.Support;

/// <summary>A plan's memory for one worker, with every buffer and the scratch between guards of their own, NaN where nothing has been written.</summary>
internal sealed unsafe class GuardedPlanMemory(Guard guard) : PlanMemory, IDisposable
{
    private readonly Dictionary<PlannedBuffer, GuardedMemory> _buffers = [];
    private GuardedMemory? _scratch;

    /// <summary>How many buffers there are, without the scratch.</summary>
    public int Count => _buffers.Count;

    public override void Place(IReadOnlyList<PlannedBuffer> buffers, PlanSize size, int scratchLength)
    {
        if (size.Workers != 1)
            throw new ArgumentOutOfRangeException(nameof(size), size.Workers, "There is room for one worker.");

        foreach (PlannedBuffer buffer in buffers)
            _buffers.Add(buffer, new(checked((int)size.Length(buffer)), guard));

        _scratch = new(scratchLength, guard);
    }

    public override BufferView View(PlannedBuffer buffer) => new(_buffers[buffer].Pointer, buffer.IsPerWorker ? 0 : buffer.ImageLength, 0, buffer.IsForUnit ? buffer.ImageLength : 0);

    public override float* Scratch(int worker) => _scratch!.Pointer;

    public void Dispose()
    {
        foreach (GuardedMemory buffer in _buffers.Values)
            buffer.Dispose();

        _scratch?.Dispose();
    }
}
