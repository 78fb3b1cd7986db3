namespace NativeConv.Threading;

/// <summary>
/// Hands out the parts of some work: each worker takes its own share in order, then what others have not begun, so that nobody waits for a core that is slower than the rest or
/// that another process has taken. Which worker takes a part must change no result.
/// </summary>
internal sealed class WorkShares(int mostWorkers)
{
    /// <summary>Counters lie a pair of cache lines apart, and away from the array's head, so that workers do not slow each other.</summary>
    private const int Spacing = 32;

    private readonly int[] _next = new int[(mostWorkers + 1) * Spacing];
    private int _parts, _workers = 1;

    /// <summary>Begins work of so many parts; before any worker takes one.</summary>
    public void Begin(int parts, int workers)
    {
        (_parts, _workers) = (parts, workers);
        for (int worker = 0; worker < workers; worker++)
            Next(worker) = Start(worker);
    }

    /// <summary>Takes the next part for a worker; false where none is left.</summary>
    public bool TryTake(int worker, out int part)
    {
        for (int i = 0; i < _workers; i++)
        {
            int owner = (worker + i) % _workers, end = Start(owner + 1);
            ref int next = ref Next(owner);
            if (Volatile.Read(ref next) >= end)
                continue;

            part = Interlocked.Increment(ref next) - 1;
            if (part < end)
                return true;
        }

        part = -1;
        return false;
    }

    private int Start(int worker) => (int)((long)_parts * worker / _workers);

    private ref int Next(int worker) => ref _next[(worker + 1) * Spacing];
}
