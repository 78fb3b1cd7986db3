using System.Diagnostics;

namespace NativeConv.PeerBenchmarks;

/// <summary>Someone who can do the work.</summary>
/// <param name="Name">Whose time this is; of several ways under one name the fastest counts.</param>
/// <param name="Run">Does the work once.</param>
internal sealed record Contender(string Name, Action Run)
{
    /// <summary>NativeConv's name.</summary>
    public const string Ours = "ours";
}

/// <summary>
/// Times several ways to do the same work. They take turns in blocks of repetitions, with a pause until the last one's threads sleep; each block first wakes its own.
/// A contender's figure is the median over its blocks of the block's fastest repetition: other processes only ever add time, and most to the side whose threads spin.
/// </summary>
internal static class Contest
{
    private const int LeastRepetitions = 10, MostRepetitions = 2000, SlowRepetitions = 3;
    private const int MostRounds = 5, LeastRounds = 2;
    private const double SlowMilliseconds = 200, BlockMilliseconds = 15, WarmMilliseconds = 60, CompileMilliseconds = 300, ContestMilliseconds = 1500;

    // Of a core; less than this is the runtime's housekeeping.
    private const double IdlePart = 0.1;

    // A way this much slower than another under the same name has no chance to be the fastest.
    private const double Hopeless = 1.2;

    private static readonly TimeSpan PauseSlice = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Milliseconds a repetition of the fastest contender under each name.</summary>
    public static IReadOnlyDictionary<string, double> Run(params IReadOnlyList<Contender> contenders)
    {
        (Contender Contender, double Estimate)[] warm = [.. contenders.Select(contender => (contender, WarmUp(contender)))];
        (Contender Contender, double Estimate)[] chosen =
        [
            .. warm.GroupBy(entry => entry.Contender.Name).SelectMany(ways => ways.Where(way => way.Estimate <= Hopeless * ways.Min(other => other.Estimate))),
        ];
        double round = chosen.Sum(entry => entry.Estimate * Repetitions(entry.Estimate));
        int rounds = (int)Math.Clamp(ContestMilliseconds / round, LeastRounds, MostRounds);
        var blocks = chosen.ToDictionary(entry => entry.Contender, _ => new double[rounds]);
        for (int i = 0; i < rounds; i++)
        {
            foreach ((Contender contender, double estimate) in chosen)
            {
                Pause();
                blocks[contender][i] = Block(contender.Run, estimate);
            }
        }

        return blocks.GroupBy(entry => entry.Key.Name).ToDictionary(ways => ways.Key, ways => ways.Min(way => Median(way.Value)));
    }

    /// <summary>Waits until no thread of this process computes: some pools spin for tens of milliseconds before they sleep.</summary>
    private static void Pause()
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan used;
        do
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(PauseSlice);
            used = Environment.CpuUsage.TotalTime - before;
        }
        while (used > IdlePart * PauseSlice && Stopwatch.GetElapsedTime(start) < LongestPause);
    }

    private static int Repetitions(double estimate) =>
        estimate > SlowMilliseconds ? SlowRepetitions : (int)Math.Clamp(BlockMilliseconds / estimate, LeastRepetitions, MostRepetitions);

    /// <summary>Repeats until caches, and code that is compiled as it runs, have settled; gives the fastest repetition.</summary>
    private static double WarmUp(Contender contender)
    {
        Pause();
        double atLeast = contender.Name == Contender.Ours ? CompileMilliseconds : WarmMilliseconds, least = double.PositiveInfinity;
        long start = Stopwatch.GetTimestamp();
        int runs = 0;
        do
        {
            least = Math.Min(least, Time(contender.Run));
            runs++;
        }
        while (runs < 2 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < atLeast);

        return least;
    }

    private static double Block(Action run, double estimate)
    {
        run();
        if (estimate <= SlowMilliseconds)
            run();

        double least = double.PositiveInfinity;
        for (int i = Repetitions(estimate); i > 0; i--)
            least = Math.Min(least, Time(run));

        return least;
    }

    /// <summary>Milliseconds that one call takes.</summary>
    public static double Time(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>The middle value; the lower of the two middle ones.</summary>
    public static double Median(double[] values) => values.Order().ElementAt((values.Length - 1) / 2);
}
