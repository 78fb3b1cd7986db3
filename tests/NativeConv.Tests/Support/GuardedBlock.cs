using System.Buffers;

namespace NativeConv.Tests.Support;

/// <summary>Memory between two guard pages, flush with one of them, as a library takes it: a file's bytes, or a block of floats.</summary>
internal sealed unsafe class GuardedBlock<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly GuardedBytes _bytes;
    private readonly int _length;

    /// <summary>Zeros.</summary>
    public GuardedBlock(int length, Guard guard)
    {
        _bytes = new(checked(length * sizeof(T)), guard);
        _length = length;
    }

    /// <summary>A copy.</summary>
    public GuardedBlock(ReadOnlySpan<T> content, Guard guard)
        : this(content.Length, guard) => content.CopyTo(GetSpan());

    public override Span<T> GetSpan() => new(_bytes.Address, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new((T*)_bytes.Address + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => _bytes.Dispose();
}
