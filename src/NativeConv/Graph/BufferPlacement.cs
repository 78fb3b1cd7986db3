using NativeConv.Tensors;

namespace NativeConv.Graph;

/// <summary>Gives buffers offsets in one block so that those alive at the same time do not overlap: largest first, each at the lowest place that is free.</summary>
internal static class BufferPlacement
{
    /// <param name="buffers">What to place.</param>
    /// <param name="length">Floats that a buffer needs.</param>
    /// <param name="lifetime">First and last moment at which it is alive.</param>
    /// <returns>Floats of the whole block.</returns>
    public static long Place(
        IEnumerable<PlannedBuffer> buffers, Func<PlannedBuffer, long> length, Func<PlannedBuffer, (int First, int Last)> lifetime)
    {
        var placed = new List<(long Start, long End, int First, int Last)>();
        long total = 0;
        foreach (PlannedBuffer buffer in buffers.OrderByDescending(length))
        {
            (int first, int last) = lifetime(buffer);
            long size = AlignedMemory.RoundUp(length(buffer)), start = 0;
            foreach ((long Start, long End, int First, int Last) other in placed.OrderBy(other => other.Start))
            {
                if (other.First <= last && first <= other.Last && other.Start < start + size)
                    start = Math.Max(start, other.End);
            }

            buffer.Offset = start;
            placed.Add((start, start + size, first, last));
            total = Math.Max(total, start + size);
        }

        return total;
    }
}
