using NativeConv.Tensors;

namespace NativeConv.Operators;

/// <summary>Blocks of memory that calls with the same options lend each other: a call that takes new ones pays for their pages and, every few calls, for a garbage collection. Safe for concurrent use.</summary>
internal sealed class LentMemory
{
    /// <summary>More blocks than a call of a few threads holds at once.</summary>
    private const int MostBlocks = 16;

    /// <summary>Larger blocks are not kept.</summary>
    private const int MostFloats = 4 * 1024 * 1024;

    private readonly AlignedMemory?[] _blocks = new AlignedMemory?[MostBlocks];

    /// <summary>Takes a block whose first floats, so many, are zero.</summary>
    public AlignedMemory Take(long length)
    {
        for (int i = 0; i < MostBlocks; i++)
        {
            AlignedMemory? block = _blocks[i];
            if (block == null || block.Length < length || Interlocked.CompareExchange(ref _blocks[i], null, block) != block)
                continue;

            block.Span[..(int)length].Clear();
            return block;
        }

        return new(length);
    }

    /// <summary>Gives a block back, which nothing may use any more.</summary>
    public void Return(AlignedMemory block)
    {
        if (block.Length is 0 or > MostFloats)
            return;

        for (int i = 0; i < MostBlocks; i++)
        {
            if (_blocks[i] == null && Interlocked.CompareExchange(ref _blocks[i], block, null) == null)
                return;
        }

        // All places are taken: this one's is the next call's, if it is larger.
        for (int i = 0; i < MostBlocks; i++)
        {
            if (_blocks[i] is { } kept && kept.Length < block.Length && Interlocked.CompareExchange(ref _blocks[i], block, kept) == kept)
                return;
        }
    }
}
