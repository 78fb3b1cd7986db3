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

    public static int Parts(int images, int sumLength) => Math.Clamp(images, 1, Math.Clamp(MostPartFloats / sumLength, 1, MostParts));

    /// <summary>Calls the body with each worker's first image and count.</summary>
    public static void Run(int images, int threads, Action<int, int> body)
    {
        int workers = Math.Min(images, threads);
        if (workers == 0)
            return;

        Workers.Run(workers, worker =>
        {
            (int first, int end) = new Share(worker, workers).Of(images);
            body(first, end - first);
        });
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
}
