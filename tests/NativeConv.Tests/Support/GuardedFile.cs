using System.Buffers;

namespace NativeConv.Tests.Support;

/// <summary>A file's bytes as memory between two guard pages, flush with one of them.</summary>
internal sealed unsafe class GuardedFile : MemoryManager<byte>
{
    private readonly GuardedBytes _bytes;

    public GuardedFile(ReadOnlySpan<byte> content, Guard guard)
    {
        _bytes = new(content.Length, guard);
        content.CopyTo(GetSpan());
    }

    public override Span<byte> GetSpan() => new(_bytes.Address, _bytes.Bytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_bytes.Address + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => _bytes.Dispose();
}
