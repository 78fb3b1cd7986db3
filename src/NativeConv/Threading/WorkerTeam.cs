using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace NativeConv.Threading;

/// <summary>
/// Runs phased work with one fork for all phases. Workers take parts from <see cref="WorkShares"/>, so that each tends to the same share of every phase; whoever finishes a phase's last part begins the next.
/// Nobody waits for a worker as such, only for parts that one has taken: where the pool lends fewer threads than there are workers, or lends them late, those that run do all of it.
/// </summary>
internal sealed class WorkerTeam
{
    /// <summary>How long a worker looks out for the next phase before it sleeps. A phase of a small network lasts less; waking takes tens of microseconds on a virtual machine.</summary>
    private static readonly long LookOut = Stopwatch.Frequency / 5_000;

    private readonly IPhasedWork _work;
    private readonly Action<int> _body;
    private readonly object _gate = new();

    // A phase's own counters, so that a worker who is late for its end finds nothing left, not parts of a later one.
    private WorkShares[] _shares = [];
    // The only value stands apart: every worker counts it down while others read the phase.
    private readonly int[] _left = new int[64];
    private int _mostWorkers, _workers, _end, _phase;
    private ExceptionDispatchInfo? _failure;

    public WorkerTeam(IPhasedWork work) => (_work, _body) = (work, Work);

    /// <summary>Runs phases <paramref name="first"/> up to <paramref name="end"/>. One worker runs on the caller's thread alone, and nothing is allocated once there have been as many phases.</summary>
    /// <remarks>An exception of the work comes out as it is, once every worker has stopped; the phases after it do not begin.</remarks>
    public void Run(int workers, int first, int end)
    {
        if (_mostWorkers < workers)
            (_shares, _mostWorkers) = ([], workers);

        if (_shares.Length < end)
            _shares = [.. _shares, .. Enumerable.Range(0, end - _shares.Length).Select(_ => new WorkShares(_mostWorkers))];

        (_workers, _end, _failure) = (workers, end, null);
        Begin(first);
        Workers.Run(workers, _body);
        _failure?.Throw();
    }

    /// <summary>Parts of the phase that are not done.</summary>
    private ref int Left => ref _left[32];

    private void Work(int worker)
    {
        for (int phase = Volatile.Read(ref _phase); phase < _end; phase = WaitBeyond(phase))
        {
            WorkShares shares = _shares[phase];
            try
            {
                while (Volatile.Read(ref _failure) == null && shares.TryTake(worker, out int part))
                {
                    _work.Run(phase, part, worker);
                    if (Interlocked.Decrement(ref Left) == 0)
                        Begin(phase + 1);
                }
            }
            catch (Exception failure)
            {
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(failure), null);
                Publish(_end);
            }
        }
    }

    /// <summary>Begins a phase, or where it has no parts the one after it.</summary>
    private void Begin(int phase)
    {
        for (; phase < _end; phase++)
        {
            int parts = _work.Begin(phase);
            if (parts == 0)
                continue;

            _shares[phase].Begin(parts, _workers);
            Left = parts;
            break;
        }

        Publish(phase);
    }

    private void Publish(int phase)
    {
        lock (_gate)
        {
            Volatile.Write(ref _phase, phase);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until a phase has ended; gives the one that runs now.</summary>
    private int WaitBeyond(int phase)
    {
        var spin = default(SpinWait);
        for (long begun = Stopwatch.GetTimestamp(); Volatile.Read(ref _phase) == phase && Stopwatch.GetTimestamp() - begun < LookOut;)
            spin.SpinOnce(sleep1Threshold: -1);

        if (Volatile.Read(ref _phase) == phase)
        {
            lock (_gate)
            {
                while (_phase == phase)
                    Monitor.Wait(_gate);
            }
        }

        return Volatile.Read(ref _phase);
    }
}
