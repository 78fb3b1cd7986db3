namespace NativeConv.Kernels;

/// <summary>Which positions of a tile lie inside the image.</summary>
internal interface ISlidingRange
{
    /// <summary>Whether the tile says so; otherwise there is one whole segment, and all positions but these are inside.</summary>
    static abstract bool IsChecked { get; }

    /// <summary>Positions missing at the start and at the end.</summary>
    static abstract int MissingFirst { get; }

    /// <inheritdoc cref="MissingFirst"/>
    static abstract int MissingLast { get; }
}

/// <summary>One whole segment, whose missing positions are known when compiled.</summary>
internal readonly struct Known<TFirst, TLast> : ISlidingRange
    where TFirst : struct, ISize
    where TLast : struct, ISize
{
    public static bool IsChecked => false;

    public static int MissingFirst => TFirst.Value;

    public static int MissingLast => TLast.Value;
}

/// <summary>Any segments, each position tested.</summary>
internal readonly struct Checked : ISlidingRange
{
    public static bool IsChecked => true;

    public static int MissingFirst => 0;

    public static int MissingLast => 0;
}

/// <summary>Work that needs a range as a type argument.</summary>
internal interface ISlidingRangeWork
{
    nint Run<TRange>()
        where TRange : struct, ISlidingRange;
}

/// <summary>Turns the positions missing at the ends of a tile into a type argument.</summary>
internal static class SlidingRange
{
    /// <summary>The most positions missing at an end that kernels are compiled for: half a window of seven.</summary>
    private const int MostMissing = 3;

    public static bool IsKnown(int missingFirst, int missingLast) => missingFirst <= MostMissing && missingLast <= MostMissing;

    public static nint Run<TWork>(int missingFirst, int missingLast, TWork work)
        where TWork : ISlidingRangeWork => IsKnown(missingFirst, missingLast)
            ? missingFirst switch
            {
                0 => Last<TWork, N0>(missingLast, work),
                1 => Last<TWork, N1>(missingLast, work),
                2 => Last<TWork, N2>(missingLast, work),
                _ => Last<TWork, N3>(missingLast, work),
            }
            : work.Run<Checked>();

    private static nint Last<TWork, TFirst>(int missingLast, TWork work)
        where TWork : ISlidingRangeWork
        where TFirst : struct, ISize => missingLast switch
        {
            0 => work.Run<Known<TFirst, N0>>(),
            1 => work.Run<Known<TFirst, N1>>(),
            2 => work.Run<Known<TFirst, N2>>(),
            _ => work.Run<Known<TFirst, N3>>(),
        };
}
