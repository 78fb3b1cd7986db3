using NativeConv.Threading;

namespace NativeConv.Operators;

/// <summary>Splits a batch between workers.</summary>
internal static class ImageShares
{
    /// <summary>Parts of a batch that have a sum of their own: by the batch alone, so that threads change no bit.</summary>
    private const int MostParts = 16;

    public static int Parts(int images) => Math.Clamp(images, 1, MostParts);

    /// <summary>Calls the body with each worker's first image and count.</summary>
    public static void Run(int images, int threads, Action<int, int> body)
    {
        int workers = Math.Min(images, threads);
        if (workers == 0)
            return;

        Workers.Run(workers, worker =>
        {
            (int first, int end) = Workers.Share(images, workers, worker);
            body(first, end - first);
        });
    }

    /// <summary>Calls the body with each part's number, first image and count.</summary>
    public static void RunParts(int images, int threads, Action<int, int, int> body)
    {
        int parts = Parts(images);
        Run(parts, threads, (start, count) =>
        {
            for (int part = start; part < start + count; part++)
            {
                (int first, int end) = Workers.Share(images, parts, part);
                body(part, first, end - first);
            }
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
