using System.Runtime.CompilerServices;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Kernels;

/// <summary>
/// How a depthwise pass goes about pixels whose distance is a multiple of 2 KB: a few of them fill a set of the first-level cache, and a window's cells push each other out before the next tap or
/// channel needs them. A band of rows is computed by groups of channels, each from a copy without the other channels between its pixels, where the cache's sets are small: elsewhere a copy costs more than it saves.
/// Bands are by the shape alone, and sums by bands alike with copies and without, so that the processor does not decide on their order.
/// </summary>
internal sealed unsafe class CompactGroups
{
    private const int AliasedBytes = 2048;

    /// <summary>What a group's copies should stay below.</summary>
    private const int CopyBytes = 64 * 1024;

    /// <summary>What a band's rows should stay below, of all channels: the second-level cache.</summary>
    private const int BandBytes = 448 * 1024;

    /// <summary>Lines of a set from which on a copy costs more than it saves.</summary>
    private const int EnoughWays = 12;

    private readonly WindowRun[] _runs;
    private readonly int _pitch;

    private CompactGroups(WindowRun[] runs, int pitch, int bandRows, int channels, int length)
    {
        (_runs, _pitch) = (runs, pitch);
        (BandRows, Channels, Length) = (bandRows, channels, length);
    }

    /// <summary>Whether a cache whose sets hold so many lines gains by copies.</summary>
    public static bool IsGainWith(int ways) => ways < EnoughWays;

    /// <summary>Rows of a band; the last of an image may have fewer.</summary>
    public int BandRows { get; }

    /// <summary>Channels of a group, and floats from one pixel of a copy to the next.</summary>
    public int Channels { get; }

    /// <summary>Floats that the copies of a group need, of whole bands.</summary>
    public int Length { get; }

    /// <summary>The groups of a shape; null where its pixels lie apart well.</summary>
    /// <param name="runs">The rows of the result and the source rows that they read.</param>
    /// <param name="sourceWidth">Pixels of a source row.</param>
    /// <param name="resultRows">Rows of the result.</param>
    /// <param name="resultWidth">Pixels of a row of the result where it is copied, too; otherwise 0.</param>
    /// <param name="channels">Channels of both.</param>
    public static CompactGroups? For(WindowRun[] runs, int sourceWidth, int resultRows, int resultWidth, int channels)
    {
        if (channels * sizeof(float) % AliasedBytes != 0)
            return null;

        CompactGroups? groups = null;
        int allRows = MostSourceRows(resultRows);
        for ((int band, int rows) = (resultRows, allRows); ;)
        {
            int pixels = checked((rows * sourceWidth) + (band * resultWidth));
            int group = Math.Min(channels / 2, CopyBytes / sizeof(float) / pixels) / AlignedMemory.AlignmentFloats * AlignedMemory.AlignmentFloats;
            // The copy's pixels are not to lie like the image's.
            if (group * sizeof(float) % AliasedBytes == 0)
                group -= AlignedMemory.AlignmentFloats;

            if (group > 0)
                groups = new(runs, channels, band, group, pixels * group);

            if (band <= 1 || (group > 0 && (long)pixels * channels * sizeof(float) <= BandBytes))
                return groups;

            // Bands overlap: shorter ones end where they would copy twice the rows that there are.
            int half = (band + 1) / 2, halfRows = MostSourceRows(half);
            if ((long)halfRows * resultRows > 2L * allRows * half)
                return groups;

            (band, rows) = (half, halfRows);
        }

        int MostSourceRows(int band)
        {
            int most = 1;
            for (int first = 0; first < resultRows; first++)
            {
                (int start, int end) = SourceRows(runs, first, Math.Min(first + band, resultRows));
                most = Math.Max(most, end - start);
            }

            return most;
        }
    }

    /// <summary>Runs of the result's rows, one band's after another's: the order of sums with copies, for those without.</summary>
    public WindowRun[] ByBand(WindowRun[] runs, int resultRows)
    {
        var parts = new List<WindowRun>();
        for (int row = 0; row < resultRows; row += BandRows)
            parts.AddRange(runs.Select(run => run.Between(row, Math.Min(row + BandRows, resultRows))).Where(part => part.Count > 0));

        return [.. parts];
    }

    /// <summary>The source rows that some rows of the result read.</summary>
    public (int First, int End) SourceRows(int first, int end) => SourceRows(_runs, first, end);

    /// <summary>A band's rows of the result, and those of its source that do not come before one.</summary>
    public FetchAhead Ahead(int first, int end, int before, float* source, nint sourceRow, float* result, nint resultRow)
    {
        (int firstSource, int endSource) = SourceRows(first, end);
        firstSource = Math.Clamp(before, firstSource, endSource);
        return FetchAhead.For(source + (firstSource * sourceRow), (endSource - firstSource) * sourceRow, result + (first * resultRow), (end - first) * resultRow);
    }

    /// <summary>Copies a group's channels of some pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Copy<TVector>(float* from, nint pixels, float* to, int channels)
        where TVector : struct, IVector<TVector>
    {
        for (; pixels > 0; pixels--)
        {
            for (int channel = 0; channel < channels; channel += TVector.Lanes)
                TVector.Store(to + channel, TVector.Load(from + channel));

            from += _pitch;
            to += Channels;
        }
    }

    private static (int First, int End) SourceRows(WindowRun[] runs, int first, int end)
    {
        (int start, int stop) = (int.MaxValue, 0);
        foreach (ref readonly WindowRun run in runs.AsSpan())
        {
            WindowRun rows = run.Between(first, end);
            if (rows.Count == 0 || rows.Taps == 0)
                continue;

            int across = (rows.Taps - 1) * rows.SourceTapStep, down = (rows.Count - 1) * rows.SourceStep;
            start = Math.Min(start, rows.Source + Math.Min(0, across));
            stop = Math.Max(stop, rows.Source + Math.Max(0, across) + down + 1);
        }

        return start < stop ? (start, stop) : (0, 0);
    }
}
