using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Stretches of memory that are needed soon, asked for in order by loops that compute something else meanwhile: each turn of such a loop is one request. A core follows a few dozen requests at once,
/// so that a burst of them holds up the computation; one a turn, some ten cycles apart, is about what memory can deliver. Whoever owns a queue adds stretches; each loop that takes from it spreads what is left over its own turns first, so that several loops may go on with one queue.
/// A tile of a micro-kernel begins with <see cref="Take"/> and ends with <see cref="Put"/>.
/// Requests past a stretch's end, or for memory that is not there, do no harm.
/// </summary>
internal unsafe struct FetchQueue
{
    /// <summary>The most stretches at a time.</summary>
    public const int Most = 8;

    private Stretches _waiting;
    private int _first, _end;

    /// <summary>What is left of the stretch at hand.</summary>
    private byte* _next, _stop;

    /// <summary>Bytes from a turn's request to the next one's: up to a line of the cache.</summary>
    private nint _step;

    /// <summary>Forgets what is left.</summary>
    public void Clear()
    {
        (_first, _end) = (0, 0);
        _next = _stop = null;
    }

    /// <summary>Adds a stretch, unless there are too many already.</summary>
    public void Add(float* start, nint floats)
    {
        if (_end < Most && floats > 0)
            _waiting[_end++] = new() { Start = (byte*)start, Bytes = floats * sizeof(float) };
    }

    /// <summary>
    /// Spreads what is left over so many turns of a loop, or rather over two thirds of them: what is asked for at the very end would come too late.
    /// </summary>
    public void Spread(long turns)
    {
        long bytes = Math.Max(0, _stop - _next);
        for (int i = _first; i < _end; i++)
            bytes += _waiting[i].Bytes;

        // Pixels that see padding alone have none.
        turns = Math.Max(1, turns);
        _step = (nint)Math.Min((3 * bytes / (2 * turns)) + 1, Prefetch.LineFloats * sizeof(float));
    }

    /// <summary>Where a tile's first request goes; gives the bytes to the next turn's, 0 where nothing is left, for which any address in a cache will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint Take(ref byte* next)
    {
        if (_next >= _stop && !MoveOn())
            return 0;

        next = _next;
        return _step;
    }

    /// <summary>Where the next tile's first request goes, after one whose requests were so many bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(byte* next, nint step)
    {
        if (step != 0)
            _next = next;
    }

    /// <summary>On to the next stretch. Not inlined: a tile gets here rarely.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MoveOn()
    {
        if (_first == _end)
            return false;

        Stretch stretch = _waiting[_first++];
        _next = stretch.Start;
        _stop = _next + stretch.Bytes;
        return true;
    }

    private struct Stretch
    {
        public byte* Start;
        public nint Bytes;
    }

    [InlineArray(Most)]
    private struct Stretches
    {
        private Stretch _first;
    }
}

/// <summary>Whether the loops of a body ask for memory: two instructions a turn, which short loops in a cache would feel.</summary>
internal interface IAsking
{
    static abstract bool IsOn { get; }
}

internal readonly struct Asking : IAsking
{
    public static bool IsOn => true;
}

internal readonly struct NotAsking : IAsking
{
    public static bool IsOn => false;
}
