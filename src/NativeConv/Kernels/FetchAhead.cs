using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Rows of two tensors that are needed next, asked for little by little while others are computed: a call of a micro-kernel asks for its share of the rows, each vector of channels or tile in it for its part of that. In bursts
/// the same requests would hold up the computation, for a core follows but a few dozen at once.
/// </summary>
internal unsafe struct FetchAhead
{
    /// <summary>The tile's share of the first line's rows.</summary>
    private float* _source, _result;

    /// <summary>Floats from a line's row to the next line's.</summary>
    private nint _sourceLine, _resultLine;

    /// <summary>Floats of a row; of a part once it is shared out.</summary>
    private nint _sourceLength, _resultLength;

    public readonly bool IsOn => _source != null;

    /// <summary>For a run of lines: the source rows that each adds, and its result's row.</summary>
    public static FetchAhead For(in WindowRun lines, float* source, nint sourceRow, float* result, nint resultRow)
    {
        if (lines.Taps == 0)
            return default;

        (int first, int count) = AddedRows(lines);
        return new()
        {
            _source = source + (first * sourceRow),
            _result = result + (lines.First * resultRow),
            _sourceLine = lines.SourceStep * sourceRow,
            _resultLine = lines.Step * resultRow,
            _sourceLength = count * sourceRow,
            _resultLength = resultRow,
        };
    }

    /// <summary>The source rows that the first of some lines, which has taps, reads and the line before it does not, where they follow each other; where they lie apart, the one furthest down the image.</summary>
    public static (int First, int Count) AddedRows(in WindowRun lines)
    {
        int count = Math.Abs(lines.SourceTapStep) == 1 ? Math.Clamp(lines.SourceStep, 1, lines.Taps) : 1;
        int last = lines.Source + Math.Max(0, (lines.Taps - 1) * lines.SourceTapStep);
        return (last + 1 - count, count);
    }

    /// <summary>For rows of the two that follow each other.</summary>
    public static FetchAhead For(float* source, nint sourceLength, float* result, nint resultLength) => new() { _source = source, _sourceLength = sourceLength, _result = result, _resultLength = resultLength };

    /// <summary>One of several shares of the rows.</summary>
    public readonly FetchAhead Of(int share, int shares) => Of(share, share + 1, shares);

    /// <summary>Some of several shares of the rows.</summary>
    public readonly FetchAhead Of(int first, int end, int shares)
    {
        if (!IsOn)
            return default;

        FetchAhead part = this;
        nint source = _sourceLength * first / shares, result = _resultLength * first / shares;
        part._source += source;
        part._result += result;
        part._sourceLength = (_sourceLength * end / shares) - source;
        part._resultLength = (_resultLength * end / shares) - result;
        return part;
    }

    /// <summary>The rows in parts for each of some vectors, and of some lines, unless it was made for lines.</summary>
    public readonly FetchAhead Parts(int vectors, int lines)
    {
        if (!IsOn)
            return default;

        FetchAhead parts = this;
        bool isByLine = _sourceLine != 0;
        int count = isByLine ? vectors : vectors * lines;
        parts._sourceLength = PartOf(_sourceLength, count);
        parts._resultLength = PartOf(_resultLength, count);
        if (!isByLine)
        {
            parts._sourceLine = vectors * parts._sourceLength;
            parts._resultLine = vectors * parts._resultLength;
        }

        return parts;
    }

    /// <summary>Whole lines of the cache.</summary>
    private static nint PartOf(nint length, int vectors) => (((length + vectors - 1) / vectors) + Prefetch.LineFloats - 1) / Prefetch.LineFloats * Prefetch.LineFloats;

    /// <summary>
    /// Asks for one vector's part of one line. Inlined: a micro-kernel that calls anything keeps its pointers on the stack from tile to tile, and their loads wait for the tile's stores, which share
    /// the lowest bits of their addresses.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Run(int line, int vector)
    {
        Prefetch.ToSecondLevel(_source + (line * _sourceLine) + (vector * _sourceLength), _sourceLength);
        Prefetch.ToSecondLevel(_result + (line * _resultLine) + (vector * _resultLength), _resultLength);
    }

    /// <summary>Asks for one part of one line, whose source is to be brought to the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void RunNear(int line, int part)
    {
        Prefetch.ToFirstLevel(_source + (line * _sourceLine) + (part * _sourceLength), _sourceLength);
        Prefetch.ToSecondLevel(_result + (line * _resultLine) + (part * _resultLength), _resultLength);
    }

    /// <summary>Where one vector's part of a line's source begins.</summary>
    public readonly float* SourceOf(int line, int vector) => _source + (line * _sourceLine) + (vector * _sourceLength);

    /// <summary>Where one vector's part of a line's result begins; null where results are not asked for.</summary>
    public readonly float* ResultOf(int line, int vector) => _resultLength == 0 ? null : _result + (line * _resultLine) + (vector * _resultLength);

    /// <summary>Asks for one vector's part of some lines, first up to end.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public readonly void RunLines(int first, int end, int vector)
    {
        for (int line = first; line < end; line++)
            Run(line, vector);
    }
}
