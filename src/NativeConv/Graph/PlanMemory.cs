using NativeConv.Layers;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>Where a plan's buffers and its workers' scratch lie: buffers that never live at once share their place in one block. Tests put each apart, between guard pages; what only describes a plan reserves nothing.</summary>
internal unsafe class PlanMemory(bool isReserved = true)
{
    /// <summary>A smaller buffer stays in a cache from stage to stage.</summary>
    private const long LeastStreamedBytes = 2 << 20;

    private AlignedMemory _arena = new(0), _scratch = new(0);
    private long _scratchLength;

    /// <summary>Floats for the whole batch, and for each worker.</summary>
    public long BatchFloats { get; private set; }

    /// <inheritdoc cref="BatchFloats"/>
    public long WorkerFloats { get; private set; }

    /// <summary>Floats in all.</summary>
    public long Length { get; private set; }

    /// <summary>Whether a block that one stage writes and a later one reads should be streamed past the caches.</summary>
    public virtual bool IsStreamed(long bytes) => bytes >= LeastStreamedBytes;

    /// <summary>Gives each buffer its place, and each worker so many floats of scratch.</summary>
    public virtual void Place(IReadOnlyList<PlannedBuffer> buffers, int batchSize, int group, int workers, int scratchLength)
    {
        BatchFloats = BufferPlacement.Place(
            buffers.Where(buffer => !buffer.IsPerWorker), buffer => (long)buffer.ImageLength * batchSize, buffer => (buffer.FirstStage, buffer.LastStage));
        WorkerFloats = BufferPlacement.Place(
            buffers.Where(buffer => buffer.IsPerWorker), buffer => (long)buffer.ImageLength * group, buffer => (buffer.FirstStep, buffer.LastStep));
        _scratchLength = AlignedMemory.RoundUp(scratchLength);
        long arena = BatchFloats + (WorkerFloats * workers), scratch = _scratchLength * workers;
        Length = arena + scratch;
        if (isReserved)
            (_arena, _scratch) = (new(arena), new(scratch));
    }

    /// <summary>A buffer's place.</summary>
    public virtual BufferView View(PlannedBuffer buffer) => !isReserved ? default
        : buffer.IsPerWorker ? new(_arena.Pointer + BatchFloats + buffer.Offset, 0, (nint)WorkerFloats)
        : new(_arena.Pointer + buffer.Offset, buffer.ImageLength, 0);

    /// <summary>A worker's scratch.</summary>
    public virtual float* Scratch(int worker) => _scratch.Pointer + (worker * _scratchLength);
}
