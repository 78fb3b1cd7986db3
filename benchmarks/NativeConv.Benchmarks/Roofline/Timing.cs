using System.Diagnostics;
using NativeConv.Threading;

namespace NativeConv.Benchmarks.Roofline;

/// <summary>Times a kernel on a machine that others share: the best of several runs, each long enough to measure.</summary>
internal static class Timing
{
    private const int Runs = 15;
    private const double LeastSeconds = 2e-3, WarmSeconds = 0.3;

    /// <summary>Seconds of a call, every worker calling again and again within one fork, which is thus not measured.</summary>
    public static double Best(int workers, Action<int> body)
    {
        int calls = 1;
        for (double warm = 0; warm < WarmSeconds;)
        {
            double once = Time(workers, body, calls);
            warm += once;
            if (once < LeastSeconds)
                calls *= 2;
        }

        double best = double.PositiveInfinity;
        for (int i = 0; i < Runs; i++)
            best = Math.Min(best, Time(workers, body, calls) / calls);

        return best;
    }

    private static double Time(int workers, Action<int> body, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        Workers.Run(workers, worker =>
        {
            for (int i = 0; i < calls; i++)
                body(worker);
        });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
