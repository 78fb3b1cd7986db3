using System.Diagnostics;
using System.Globalization;

namespace NativeConv.PeerBenchmarks;

/// <summary>How much of the machine others took while something was measured; known on Linux alone.</summary>
internal sealed class ForeignLoad
{
    private const string Statistics = "/proc/stat";

    // Linux counts in hundredths of a second; of idling are the fourth and fifth count.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);
    private static readonly int[] IdleFields = [4, 5];

    // Guests' time, in the fields from here on, is in the user's already.
    private const int GuestField = 9;

    private const double Disturbing = 0.15;

    private readonly TimeSpan _busy = Busy(), _own = Environment.CpuUsage.TotalTime;
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>What to say beside a figure: nothing, or how many cores others, the hypervisor included, kept busy on average.</summary>
    public string Remark
    {
        get
        {
            double cores = (Busy() - _busy - (Environment.CpuUsage.TotalTime - _own)) / Stopwatch.GetElapsedTime(_start);
            return File.Exists(Statistics) && cores > Disturbing ? string.Create(CultureInfo.InvariantCulture, $"  disturbed: others took {cores:F2} cores") : "";
        }
    }

    private static TimeSpan Busy()
    {
        if (!File.Exists(Statistics))
            return default;

        string[] fields = File.ReadLines(Statistics).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Enumerable.Range(1, Math.Min(fields.Length, GuestField) - 1).Except(IdleFields).Sum(field => long.Parse(fields[field], CultureInfo.InvariantCulture)) * Tick;
    }
}
