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
    /// <summary>Between one worker's places and the next one's: processors fetch ahead by steps of whole rows, several at a time, and what one worker writes another's core would have fetched. 64 KB gained nothing.</summary>
    private const long DistanceFloats = 256 * 1024 / sizeof(float);

    private AlignedMemory _arena = new(0), _scratch = new(0);
    private long _workerStep, _scratchStep;

    /// <summary>Floats for the whole batch, and for each worker.</summary>
    public long BatchFloats { get; private set; }

    /// <inheritdoc cref="BatchFloats"/>
    public long WorkerFloats { get; private set; }

    /// <summary>Floats in all, without the distances between workers' places.</summary>
    public long Length { get; private set; }

    /// <summary>Gives each buffer its place, and each worker so many floats of scratch.</summary>
    public virtual void Place(IReadOnlyList<PlannedBuffer> buffers, PlanSize size, int scratchLength)
    {
        IReadOnlyList<ImageSuccession> places = ImageSuccession.Of(buffers.Where(buffer => !buffer.IsPerWorker), areImagesApart: size.Group == 1);
        BatchFloats = BufferPlacement.Place(places, place => (long)place.ImageLength * size.Batch, place => place.Lifetime, (place, offset) => place.Put(offset));
        WorkerFloats = BufferPlacement.Place(
            buffers.Where(buffer => buffer.IsPerWorker), size.Length, buffer => (buffer.FirstStep, buffer.LastStep), (buffer, offset) => buffer.Offset = offset);
        long scratch = AlignedMemory.RoundUp(scratchLength);
        Length = BatchFloats + ((WorkerFloats + scratch) * size.Workers);
        (_workerStep, _scratchStep) = (WorkerFloats + DistanceFloats, scratch + DistanceFloats);
        if (isReserved)
            (_arena, _scratch) = (new(BatchFloats + Apart(WorkerFloats, size.Workers)), new(Apart(scratch, size.Workers)));
    }

    /// <summary>A buffer's place.</summary>
    public virtual BufferView View(PlannedBuffer buffer) => !isReserved ? default
        : buffer.IsPerWorker ? new(_arena.Pointer + BatchFloats + buffer.Offset, 0, (nint)_workerStep, buffer.IsForUnit ? buffer.ImageLength : 0)
        : new(_arena.Pointer + buffer.Offset, buffer.ImageStride, 0);

    /// <summary>A worker's scratch.</summary>
    public virtual float* Scratch(int worker) => _scratch.Pointer + (worker * _scratchStep);

    /// <summary>Floats for as many workers, the distances between them included.</summary>
    private static long Apart(long length, int workers) => (length * workers) + (DistanceFloats * Math.Max(0, workers - 1));
}
