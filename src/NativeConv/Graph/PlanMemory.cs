using NativeConv.Layers;
using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>How many images there is room for: of the batch, of those that a worker carries at a time, of those that it takes at once; and how many workers.</summary>
internal readonly record struct PlanSize(int Batch, int Group, int Unit, int Workers)
{
    /// <summary>Images of a buffer for the batch, or for one worker.</summary>
    public int Images(PlannedBuffer buffer) => !buffer.IsPerWorker ? Batch : buffer.IsForUnit ? Unit : Group;

    /// <summary>Floats of them.</summary>
    public long Length(PlannedBuffer buffer) => (long)buffer.ImageLength * Images(buffer);
}

/// <summary>Where a plan's buffers and its workers' scratch lie: buffers that never live at once share their place in one block. Tests put each apart, between guard pages; what only describes a plan reserves nothing.</summary>
internal unsafe class PlanMemory(bool isReserved = true)
{
    private AlignedMemory _arena = new(0), _scratch = new(0);
    private long _scratchLength;

    /// <summary>Floats for the whole batch, and for each worker.</summary>
    public long BatchFloats { get; private set; }

    /// <inheritdoc cref="BatchFloats"/>
    public long WorkerFloats { get; private set; }

    /// <summary>Floats in all.</summary>
    public long Length { get; private set; }

    /// <summary>Gives each buffer its place, and each worker so many floats of scratch.</summary>
    public virtual void Place(IReadOnlyList<PlannedBuffer> buffers, PlanSize size, int scratchLength)
    {
        IReadOnlyList<ImageSuccession> places = ImageSuccession.Of(buffers.Where(buffer => !buffer.IsPerWorker), areImagesApart: size.Group == 1);
        BatchFloats = BufferPlacement.Place(places, place => (long)place.ImageLength * size.Batch, place => place.Lifetime, (place, offset) => place.Put(offset));
        WorkerFloats = BufferPlacement.Place(
            buffers.Where(buffer => buffer.IsPerWorker), size.Length, buffer => (buffer.FirstStep, buffer.LastStep), (buffer, offset) => buffer.Offset = offset);
        _scratchLength = AlignedMemory.RoundUp(scratchLength);
        long arena = BatchFloats + (WorkerFloats * size.Workers), scratch = _scratchLength * size.Workers;
        Length = arena + scratch;
        if (isReserved)
            (_arena, _scratch) = (new(arena), new(scratch));
    }

    /// <summary>A buffer's place.</summary>
    public virtual BufferView View(PlannedBuffer buffer) => !isReserved ? default
        : buffer.IsPerWorker ? new(_arena.Pointer + BatchFloats + buffer.Offset, 0, (nint)WorkerFloats, buffer.IsForUnit ? buffer.ImageLength : 0)
        : new(_arena.Pointer + buffer.Offset, buffer.ImageStride, 0);

    /// <summary>A worker's scratch.</summary>
    public virtual float* Scratch(int worker) => _scratch.Pointer + (worker * _scratchLength);
}
