using System.Diagnostics;

namespace NativeConv.Benchmarks.Roofline;

/// <summary>Times a body on a machine that others share: the best of several runs, each long enough to measure.</summary>
internal static class Timing
{
    private const int Runs = 15;
    private const double LeastSeconds = 2e-3;

    /// <summary>Seconds of the fastest call.</summary>
    public static double Best(Action body)
    {
        int calls = 1;
        for (double warm = 0; warm < 0.3;)
        {
            double once = Time(body, calls);
            warm += once;
            if (once < LeastSeconds)
                calls *= 2;
        }

        double best = double.PositiveInfinity;
        for (int i = 0; i < Runs; i++)
            best = Math.Min(best, Time(body, calls) / calls);

        return best;
    }

    private static double Time(Action body, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
            body();

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
