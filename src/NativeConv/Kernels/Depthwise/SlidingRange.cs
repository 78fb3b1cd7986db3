using System.Runtime.CompilerServices;

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

/// <summary>Half a window: what padding by half of it leaves outside the image.</summary>
internal readonly struct HalfOf<TTaps> : ISize
    where TTaps : struct, ISize
{
    public static int Value => TTaps.Value / 2;
}

/// <summary>A window but for one cell: what lies outside in the input gradient of a convolution without padding.</summary>
internal readonly struct AllButOneOf<TTaps> : ISize
    where TTaps : struct, ISize
{
    public static int Value => TTaps.Value - 1;
}

/// <summary>
/// Turns the positions missing at the ends of a tile into a type argument. Kernels are compiled for what common paddings leave out, and a kernel that checks positions takes the rest: a program compiled
/// ahead of time holds them all.
/// </summary>
internal static class SlidingRange
{
    /// <summary>The most taps of a window for which an input gradient without padding has kernels of its own.</summary>
    private const int MostTapsWithoutPadding = 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsKnown(int taps, int missingFirst, int missingLast) => IsKnown(taps, missingFirst) && IsKnown(taps, missingLast);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsKnown(int taps, int missing) => missing == 0 || (HasHalf(taps) && missing == taps / 2) || (HasAllButOne(taps) && missing == taps - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasHalf(int taps) => taps > 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasAllButOne(int taps) => taps is > 2 and <= MostTapsWithoutPadding;

    public static nint Run<TTaps, TWork>(int missingFirst, int missingLast, TWork work)
        where TTaps : struct, ISize
        where TWork : ISlidingRangeWork
    {
        if (!IsKnown(TTaps.Value, missingFirst, missingLast))
            return work.Run<Checked>();

        if (HasHalf(TTaps.Value) && missingFirst == TTaps.Value / 2)
            return Last<TTaps, HalfOf<TTaps>, TWork>(missingLast, work);

        return HasAllButOne(TTaps.Value) && missingFirst > 0
            ? Last<TTaps, AllButOneOf<TTaps>, TWork>(missingLast, work)
            : Last<TTaps, N0, TWork>(missingLast, work);
    }

    private static nint Last<TTaps, TFirst, TWork>(int missingLast, TWork work)
        where TTaps : struct, ISize
        where TFirst : struct, ISize
        where TWork : ISlidingRangeWork
    {
        if (HasHalf(TTaps.Value) && missingLast == TTaps.Value / 2)
            return work.Run<Known<TFirst, HalfOf<TTaps>>>();

        return HasAllButOne(TTaps.Value) && missingLast > 0
            ? work.Run<Known<TFirst, AllButOneOf<TTaps>>>()
            : work.Run<Known<TFirst, N0>>();
    }
}
