using NativeConv.Kernels;
using NativeConv.Threading;

namespace NativeConv.Operators;

/// <summary>Splits a batch between workers.</summary>
internal static class ImageShares
{
    /// <summary>Parts of a batch that have a sum of their own: by the batch alone, so that threads change no bit.</summary>
    private const int MostParts = 16;

    /// <summary>More would take longer to clear and to merge than to add up.</summary>
    private const int MostPartFloats = 1 << 19;

    /// <summary>Ranges that a worker's share is cut into, so that another may take what it has not begun.</summary>
    private const int RangesPerWorker = 4;

    public static int Parts(int images, int sumLength) => Math.Clamp(images, 1, Math.Clamp(MostPartFloats / sumLength, 1, MostParts));

    /// <summary>Calls the body once for each worker, with the ranges that it is to take: of its own share first, then of what others have not begun.</summary>
    /// <param name="items">Images, or what else a batch is cut into. No result may depend on how.</param>
    /// <param name="threads">The most workers.</param>
    /// <param name="leastItems">A range has no fewer, unless there is one for each worker.</param>
    /// <param name="body">Takes ranges until there are none.</param>
    public static void Run(int items, int threads, int leastItems, Action<Ranges> body)
    {
        int workers = Math.Min(items, threads);
        if (workers == 0)
            return;

        int ranges = workers == 1 ? 1 : workers * (int)Math.Clamp(items / ((long)leastItems * workers), 1, RangesPerWorker);
        var shares = new WorkShares(workers);
        shares.Begin(ranges, workers);
        Workers.Run(workers, worker => body(new(shares, worker, ranges, items)));
    }

    /// <summary>Merges parts in a binary tree: the body adds the second to the first.</summary>
    public static void Merge(int parts, Action<int, int> add)
    {
        for (int step = 1; step < parts; step *= 2)
        {
            for (int i = 0; i + step < parts; i += 2 * step)
                add(i, i + step);
        }
    }

    /// <summary>What a worker takes.</summary>
    public readonly struct Ranges(WorkShares shares, int worker, int ranges, int items)
    {
        /// <summary>The next range; false where none is left.</summary>
        public bool TryTake(out int first, out int count)
        {
            (first, count) = (0, 0);
            if (!shares.TryTake(worker, out int range))
                return false;

            (first, int end) = new Share(range, ranges).Of(items);
            count = end - first;
            return true;
        }
    }
}
