namespace NativeConv.Threading;

/// <summary>Runs numbered jobs on a fixed number of workers. Which worker does what never changes a result: callers see to that.</summary>
internal static class Workers
{
    /// <summary>The number of threads where the user names none.</summary>
    public static int DefaultCount => Environment.ProcessorCount;

    /// <summary>
    /// Calls <paramref name="body"/> once for each worker from 0 to count - 1 and waits for all. One worker runs on the caller's thread
    /// and allocates nothing; keep the delegate, so that more allocate only what the fork itself costs.
    /// </summary>
    public static void Run(int count, Action<int> body)
    {
        if (count == 1)
            body(0);
        else
            Parallel.For(0, count, body);
    }

    /// <summary>Starts a job beside the caller, on a thread of the pool.</summary>
    public static Task Start(Action job) => Task.Run(job);
}
