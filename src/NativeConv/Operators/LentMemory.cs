using NativeConv.Tensors;

namespace NativeConv.Operators;

/// <summary>
/// Blocks of memory that calls with the same options lend each other: a call that takes new ones pays for their pages and, every few calls, for a garbage collection. At most 32 MB are kept.
/// Safe for concurrent use.
/// </summary>
internal sealed class LentMemory
{
    /// <summary>More blocks than a call of a few threads holds at once.</summary>
    private const int MostBlocks = 16;

    /// <summary>Larger blocks are not kept.</summary>
    private const int MostFloats = 512 * 1024;

    private readonly AlignedMemory?[] _blocks = new AlignedMemory?[MostBlocks];

    /// <summary>The block of calls that need none: even an empty one takes a fifth of a microsecond to make.</summary>
    private AlignedMemory? _nothing;

    /// <summary>Takes a block of at least some floats, of which the first so many are zero.</summary>
    public AlignedMemory Take(long length)
    {
        if (length > MostFloats || AlignedMemory.IsFromElsewhere)
            return new(length);

        if (length == 0)
            return _nothing ??= new(0);

        for (; ;)
        {
            // The smallest that will do, so that large ones are there for large requests.
            (AlignedMemory? best, int place) = (null, 0);
            for (int i = 0; i < MostBlocks; i++)
            {
                AlignedMemory? block = Volatile.Read(ref _blocks[i]);
                if (block != null && block.Length >= length && (best == null || block.Length < best.Length))
                    (best, place) = (block, i);
            }

            if (best == null)
                return new(length);

            if (Interlocked.CompareExchange(ref _blocks[place], null, best) != best)
                continue;

            best.Span[..(int)length].Clear();
            return best;
        }
    }

    /// <summary>Gives a block back, which nothing may use any more.</summary>
    public void Return(AlignedMemory block)
    {
        if (block.Length is 0 or > MostFloats || AlignedMemory.IsFromElsewhere)
            return;

        for (int i = 0; i < MostBlocks; i++)
        {
            if (Interlocked.CompareExchange(ref _blocks[i], block, null) == null)
                return;
        }

        // All places are taken: a larger block is worth one of them.
        for (int i = 0; i < MostBlocks; i++)
        {
            AlignedMemory? kept = Volatile.Read(ref _blocks[i]);
            if (kept != null && kept.Length < block.Length && Interlocked.CompareExchange(ref _blocks[i], block, kept) == kept)
                return;
        }
    }
}
