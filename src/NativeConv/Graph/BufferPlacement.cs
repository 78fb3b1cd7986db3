using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>Gives blocks offsets so that those alive at the same time do not overlap: largest first, each at the lowest place that is free.</summary>
internal static class BufferPlacement
{
    /// <param name="blocks">What to place.</param>
    /// <param name="length">Floats that a block needs.</param>
    /// <param name="lifetime">First and last moment at which it is alive.</param>
    /// <param name="put">Says where it begins.</param>
    /// <returns>Floats of all.</returns>
    public static long Place<TBlock>(IEnumerable<TBlock> blocks, Func<TBlock, long> length, Func<TBlock, (int First, int Last)> lifetime, Action<TBlock, long> put)
    {
        var placed = new List<(long Start, long End, int First, int Last)>();
        long total = 0;
        foreach (TBlock block in blocks.OrderByDescending(length))
        {
            (int first, int last) = lifetime(block);
            long size = AlignedMemory.RoundUp(length(block)), start = 0;
            foreach ((long Start, long End, int First, int Last) other in placed.OrderBy(other => other.Start))
            {
                if (other.First <= last && first <= other.Last && other.Start < start + size)
                    start = Math.Max(start, other.End);
            }

            put(block, start);
            placed.Add((start, start + size, first, last));
            total = Math.Max(total, start + size);
        }

        return total;
    }
}
