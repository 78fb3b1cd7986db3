using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the depthwise micro-kernel computes: some outputs along the sliding axis, on some lines, for a range of channels.</summary>
internal unsafe struct DepthwiseTile
{
    /// <summary>The source of position 0 under the first tap across, which may lie outside the image.</summary>
    public float* Input;

    /// <summary>Floats from a position to the next, from a tap across to the next, and from a line to the next.</summary>
    public nint InputStep, InputCross, InputLine;

    /// <summary>The first channel vector's block of packed weights: its biases, then its weights.</summary>
    public float* Block;

    /// <summary>Floats from a block to the next, from its start to the weights that output 0 applies to position 0, and from those of a tap across to the next. Two lines at a time have all taps, one after another.</summary>
    public nint BlockStep, FirstWeight, WeightCross;

    /// <summary>The first output; floats to the next, and to the next line's.</summary>
    public float* Output;
    public nint OutputStep, OutputLine;

    /// <summary>A vector for each of the outputs of channels that do not fill one.</summary>
    public float* Edge;

    /// <summary>Taps across the sliding axis that are inside the image.</summary>
    public int CrossTaps;

    public int Lines;

    /// <summary>Of lines two at a time: whether the first one's first source row, or the last one's last, lies outside the image.</summary>
    public bool MissesFirst, MissesLast;

    public int Channels;

    /// <summary>Blocks before the weights start again.</summary>
    public int Blocks;

    /// <summary>Runs of taps, where the kernel checks positions.</summary>
    public TileSegment* Segments;
    public int SegmentCount;

    /// <summary>The outputs, where the kernel is not made for them.</summary>
    public WideOutputs Wide;

    /// <summary>Whether sums go on from what is in the outputs, not from the biases: taps that other kernels have had.</summary>
    public bool GoesOn;

    /// <summary>Whether outputs go past the caches; they are aligned then.</summary>
    public bool Streams;

    /// <summary>What outputs go through.</summary>
    public Rectifier Rectifier;

    /// <summary>What is needed next.</summary>
    public FetchAhead Ahead;
}

/// <summary>A <see cref="SlidingSegment"/> in floats from the tile's input and weights.</summary>
internal readonly record struct TileSegment(nint Input, nint Weights, int First, int End, bool IsWhole);

/// <summary>
/// The depthwise micro-kernel: output [t, channel] = bias + sum over taps of source [t + tap, channel] * weights [tap, channel]. A lane is a channel. Outputs lie along
/// one axis, so that a source cell, loaded once, is added to each of the outputs it touches. Order of every value: its bias, then runs of taps; within a run the taps across
/// the axis, within those the taps along it. Registers: the outputs, one run's taps under one tap across, and the cell:
/// 13 + 2 + 1 of 16 at three taps, 11 + 4 + 1 at seven; weights beyond that are operands in memory. Cells outside the image are skipped, never read. Weights are
/// whole vectors, in the order of their use; channels end in a vector that overlaps the one before, or are a single masked one.
/// </summary>
internal static unsafe class DepthwiseMicroKernel
{
    /// <summary>The most taps of a run.</summary>
    public const int MostTaps = 7;

    /// <summary>
    /// The most outputs of a tile whose runs have so many taps: what the cell leaves of the registers, and enough of the weights that
    /// their loads do not outrun the multiply-adds, of which a cell feeds one a tap.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MostOutputs<TVector>(int taps)
        where TVector : struct, IVector<TVector> => Math.Min(SizeDispatch.Most, TVector.Registers - 1 - Math.Max(1, (taps + 1) / 2));

    /// <summary>Whether a run's tiles are computed by a kernel that checks positions against the segments.</summary>
    public static bool IsChecked(SlidingRun run) => run.Segments is not [{ IsWhole: true } only] || !SlidingRange.IsKnown(run.Taps, only.First, run.MissingLast);

    /// <summary>The kernel for the tiles of a run: for whole vectors of channels, or for channels that do not fill one.</summary>
    public static delegate*<in DepthwiseTile, void> Get<TVector, TEdge>(SlidingRun run)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge => (delegate*<in DepthwiseTile, void>)SizeDispatch.UpTo7(run.Taps, new TapsWork<TVector, TEdge>(run));

    private readonly struct TapsWork<TVector, TEdge>(SlidingRun run) : ISizeWork
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        public nint Run<TTaps>()
            where TTaps : struct, ISize => SizeDispatch.UpTo14(run.Count, new OutputsWork<TVector, TTaps, TEdge>(run));
    }

    private readonly struct OutputsWork<TVector, TTaps, TEdge>(SlidingRun run) : ISizeWork
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TOutputs>()
            where TOutputs : struct, ISize
        {
            if (TOutputs.Value > MostOutputs<TVector>(TTaps.Value))
                throw SizeDispatch.Outside(TOutputs.Value);

            var work = new RangeWork<TVector, TTaps, TOutputs, TEdge>();
            return IsChecked(run) ? work.Run<Checked>() : SlidingRange.Run<TTaps, RangeWork<TVector, TTaps, TOutputs, TEdge>>(run.Segments[0].First, run.MissingLast, work);
        }
    }

    private readonly struct RangeWork<TVector, TTaps, TOutputs, TEdge> : ISlidingRangeWork
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TOutputs : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TRange>()
            where TRange : struct, ISlidingRange
        {
            delegate*<in DepthwiseTile, void> kernel = &DepthwiseMicroKernel.Run<TVector, TTaps, TOutputs, TRange, TEdge>;
            return (nint)kernel;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TTaps, TOutputs, TRange, TEdge>(in DepthwiseTile tile)
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TOutputs : struct, ISize
        where TRange : struct, ISlidingRange
        where TEdge : struct, IEdge
    {
        // In bytes, so that an address is a base and a register.
        nint step = tile.InputStep * sizeof(float), step2 = 2 * step, step3 = 3 * step, inputCross = tile.InputCross * sizeof(float), weightCross = tile.WeightCross;

        // Constants, so that no test is left, unless the range is checked; then a run's last tap may be missing.
        int first = TRange.MissingFirst, end = TOutputs.Value + TTaps.Value - 1 - TRange.MissingLast;
        bool has1 = true, has2 = true, has3 = true, has4 = true, has5 = true, has6 = true;
        for (int line = 0; line < tile.Lines; line++)
        {
            float* input = tile.Input + (line * tile.InputLine);
            float* output = tile.Output + (line * tile.OutputLine);
            float* block = tile.Block;
            int blocksLeft = tile.Blocks;
            for (int channels = tile.Channels; channels > 0; channels -= TVector.Lanes)
            {
                TVector bias = TVector.Load(block);
                TVector c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias;
                TVector c7 = bias, c8 = bias, c9 = bias, c10 = bias, c11 = bias, c12 = bias, c13 = bias;
                // Not by TVector.Load: as many calls more would exceed what the compiler inlines.
                if (!TRange.IsChecked && !TEdge.IsPartial && tile.GoesOn)
                {
                    float* sums = output;
                    nint after = tile.OutputStep;
                    c0 = Unsafe.ReadUnaligned<TVector>(sums);
                    if (TOutputs.Value > 1)
                        c1 = Unsafe.ReadUnaligned<TVector>(sums + after);
                    if (TOutputs.Value > 2)
                        c2 = Unsafe.ReadUnaligned<TVector>(sums + (2 * after));
                    if (TOutputs.Value > 3)
                    {
                        sums += 3 * after;
                        c3 = Unsafe.ReadUnaligned<TVector>(sums);
                    }

                    if (TOutputs.Value > 4)
                        c4 = Unsafe.ReadUnaligned<TVector>(sums + after);
                    if (TOutputs.Value > 5)
                        c5 = Unsafe.ReadUnaligned<TVector>(sums + (2 * after));
                    if (TOutputs.Value > 6)
                    {
                        sums += 3 * after;
                        c6 = Unsafe.ReadUnaligned<TVector>(sums);
                    }

                    if (TOutputs.Value > 7)
                        c7 = Unsafe.ReadUnaligned<TVector>(sums + after);
                    if (TOutputs.Value > 8)
                        c8 = Unsafe.ReadUnaligned<TVector>(sums + (2 * after));
                    if (TOutputs.Value > 9)
                    {
                        sums += 3 * after;
                        c9 = Unsafe.ReadUnaligned<TVector>(sums);
                    }

                    if (TOutputs.Value > 10)
                        c10 = Unsafe.ReadUnaligned<TVector>(sums + after);
                    if (TOutputs.Value > 11)
                        c11 = Unsafe.ReadUnaligned<TVector>(sums + (2 * after));
                    if (TOutputs.Value > 12)
                    {
                        sums += 3 * after;
                        c12 = Unsafe.ReadUnaligned<TVector>(sums);
                    }

                    if (TOutputs.Value > 13)
                        c13 = Unsafe.ReadUnaligned<TVector>(sums + after);
                }

                int segment = 0;
                do
                {
                    byte* cross = (byte*)input;
                    float* w = block + tile.FirstWeight;
                    if (TRange.IsChecked)
                    {
                        ref readonly TileSegment part = ref tile.Segments[segment];
                        cross += part.Input * sizeof(float);
                        w += part.Weights;
                        (first, end) = (part.First, part.End);
                        if (TTaps.Value == 2)
                            has1 = part.IsWhole;

                        if (TTaps.Value == 3)
                            has2 = part.IsWhole;

                        if (TTaps.Value == 4)
                            has3 = part.IsWhole;

                        if (TTaps.Value == 5)
                            has4 = part.IsWhole;

                        if (TTaps.Value == 6)
                            has5 = part.IsWhole;

                        if (TTaps.Value == 7)
                            has6 = part.IsWhole;
                    }

                    for (float* last = w + (tile.CrossTaps * weightCross); w != last; w += weightCross)
                    {
                        byte* x = cross;
                        cross += inputCross;
                        TVector w0 = TVector.Load(w);
                        TVector w1 = TTaps.Value > 1 && has1 && Held<TVector, TOutputs>(1) ? TVector.Load(w + (1 * TVector.Lanes)) : w0;
                        TVector w2 = TTaps.Value > 2 && has2 && Held<TVector, TOutputs>(2) ? TVector.Load(w + (2 * TVector.Lanes)) : w0;
                        TVector w3 = TTaps.Value > 3 && has3 && Held<TVector, TOutputs>(3) ? TVector.Load(w + (3 * TVector.Lanes)) : w0;
                        TVector w4 = TTaps.Value > 4 && has4 && Held<TVector, TOutputs>(4) ? TVector.Load(w + (4 * TVector.Lanes)) : w0;
                        TVector w5 = TTaps.Value > 5 && has5 && Held<TVector, TOutputs>(5) ? TVector.Load(w + (5 * TVector.Lanes)) : w0;
                        TVector w6 = TTaps.Value > 6 && has6 && Held<TVector, TOutputs>(6) ? TVector.Load(w + (6 * TVector.Lanes)) : w0;

                        if (first <= 0 && 0 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            TVector.Accumulate(ref c0, cell, w0);
                        }

                        if (TOutputs.Value + TTaps.Value > 2 && first <= 1 && 1 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TOutputs.Value > 1)
                                TVector.Accumulate(ref c1, cell, w0);
                            if (TTaps.Value > 1 && has1)
                                Add<TVector, TOutputs>(ref c0, cell, w1, w, 1);
                        }

                        if (TOutputs.Value + TTaps.Value > 3 && first <= 2 && 2 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TOutputs.Value > 2)
                                TVector.Accumulate(ref c2, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 1 && has1)
                                Add<TVector, TOutputs>(ref c1, cell, w1, w, 1);
                            if (TTaps.Value > 2 && has2)
                                Add<TVector, TOutputs>(ref c0, cell, w2, w, 2);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 4 && first <= 3 && 3 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TOutputs.Value > 3)
                                TVector.Accumulate(ref c3, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 2 && has1)
                                Add<TVector, TOutputs>(ref c2, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 1 && has2)
                                Add<TVector, TOutputs>(ref c1, cell, w2, w, 2);
                            if (TTaps.Value > 3 && has3)
                                Add<TVector, TOutputs>(ref c0, cell, w3, w, 3);
                        }

                        if (TOutputs.Value + TTaps.Value > 5 && first <= 4 && 4 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TOutputs.Value > 4)
                                TVector.Accumulate(ref c4, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 3 && has1)
                                Add<TVector, TOutputs>(ref c3, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 2 && has2)
                                Add<TVector, TOutputs>(ref c2, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 1 && has3)
                                Add<TVector, TOutputs>(ref c1, cell, w3, w, 3);
                            if (TTaps.Value > 4 && has4)
                                Add<TVector, TOutputs>(ref c0, cell, w4, w, 4);
                        }

                        if (TOutputs.Value + TTaps.Value > 6 && first <= 5 && 5 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TOutputs.Value > 5)
                                TVector.Accumulate(ref c5, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 4 && has1)
                                Add<TVector, TOutputs>(ref c4, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 3 && has2)
                                Add<TVector, TOutputs>(ref c3, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 2 && has3)
                                Add<TVector, TOutputs>(ref c2, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 1 && has4)
                                Add<TVector, TOutputs>(ref c1, cell, w4, w, 4);
                            if (TTaps.Value > 5 && has5)
                                Add<TVector, TOutputs>(ref c0, cell, w5, w, 5);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 7 && first <= 6 && 6 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TOutputs.Value > 6)
                                TVector.Accumulate(ref c6, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 5 && has1)
                                Add<TVector, TOutputs>(ref c5, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 4 && has2)
                                Add<TVector, TOutputs>(ref c4, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 3 && has3)
                                Add<TVector, TOutputs>(ref c3, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 2 && has4)
                                Add<TVector, TOutputs>(ref c2, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 1 && has5)
                                Add<TVector, TOutputs>(ref c1, cell, w5, w, 5);
                            if (TTaps.Value > 6 && has6)
                                Add<TVector, TOutputs>(ref c0, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 8 && first <= 7 && 7 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TOutputs.Value > 7)
                                TVector.Accumulate(ref c7, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 6 && has1)
                                Add<TVector, TOutputs>(ref c6, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 5 && has2)
                                Add<TVector, TOutputs>(ref c5, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 4 && has3)
                                Add<TVector, TOutputs>(ref c4, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 3 && has4)
                                Add<TVector, TOutputs>(ref c3, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 2 && has5)
                                Add<TVector, TOutputs>(ref c2, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 1 && has6)
                                Add<TVector, TOutputs>(ref c1, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 9 && first <= 8 && 8 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TOutputs.Value > 8)
                                TVector.Accumulate(ref c8, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 7 && has1)
                                Add<TVector, TOutputs>(ref c7, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 6 && has2)
                                Add<TVector, TOutputs>(ref c6, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 5 && has3)
                                Add<TVector, TOutputs>(ref c5, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 4 && has4)
                                Add<TVector, TOutputs>(ref c4, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 3 && has5)
                                Add<TVector, TOutputs>(ref c3, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 2 && has6)
                                Add<TVector, TOutputs>(ref c2, cell, w6, w, 6);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 10 && first <= 9 && 9 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TOutputs.Value > 9)
                                TVector.Accumulate(ref c9, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 8 && has1)
                                Add<TVector, TOutputs>(ref c8, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 7 && has2)
                                Add<TVector, TOutputs>(ref c7, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 6 && has3)
                                Add<TVector, TOutputs>(ref c6, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 5 && has4)
                                Add<TVector, TOutputs>(ref c5, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 4 && has5)
                                Add<TVector, TOutputs>(ref c4, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 3 && has6)
                                Add<TVector, TOutputs>(ref c3, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 11 && first <= 10 && 10 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TOutputs.Value > 10)
                                TVector.Accumulate(ref c10, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 9 && has1)
                                Add<TVector, TOutputs>(ref c9, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 8 && has2)
                                Add<TVector, TOutputs>(ref c8, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 7 && has3)
                                Add<TVector, TOutputs>(ref c7, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 6 && has4)
                                Add<TVector, TOutputs>(ref c6, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 5 && has5)
                                Add<TVector, TOutputs>(ref c5, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 4 && has6)
                                Add<TVector, TOutputs>(ref c4, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 12 && first <= 11 && 11 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TOutputs.Value > 11)
                                TVector.Accumulate(ref c11, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 10 && has1)
                                Add<TVector, TOutputs>(ref c10, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 9 && has2)
                                Add<TVector, TOutputs>(ref c9, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 8 && has3)
                                Add<TVector, TOutputs>(ref c8, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 7 && has4)
                                Add<TVector, TOutputs>(ref c7, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 6 && has5)
                                Add<TVector, TOutputs>(ref c6, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 5 && has6)
                                Add<TVector, TOutputs>(ref c5, cell, w6, w, 6);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 13 && first <= 12 && 12 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TOutputs.Value > 12)
                                TVector.Accumulate(ref c12, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 11 && has1)
                                Add<TVector, TOutputs>(ref c11, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 10 && has2)
                                Add<TVector, TOutputs>(ref c10, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 9 && has3)
                                Add<TVector, TOutputs>(ref c9, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 8 && has4)
                                Add<TVector, TOutputs>(ref c8, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 7 && has5)
                                Add<TVector, TOutputs>(ref c7, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 6 && has6)
                                Add<TVector, TOutputs>(ref c6, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 14 && first <= 13 && 13 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TOutputs.Value > 13)
                                TVector.Accumulate(ref c13, cell, w0);
                            if (TTaps.Value > 1 && TOutputs.Value > 12 && has1)
                                Add<TVector, TOutputs>(ref c12, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 11 && has2)
                                Add<TVector, TOutputs>(ref c11, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 10 && has3)
                                Add<TVector, TOutputs>(ref c10, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 9 && has4)
                                Add<TVector, TOutputs>(ref c9, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 8 && has5)
                                Add<TVector, TOutputs>(ref c8, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 7 && has6)
                                Add<TVector, TOutputs>(ref c7, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 15 && first <= 14 && 14 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TTaps.Value > 1 && TOutputs.Value > 13 && has1)
                                Add<TVector, TOutputs>(ref c13, cell, w1, w, 1);
                            if (TTaps.Value > 2 && TOutputs.Value > 12 && has2)
                                Add<TVector, TOutputs>(ref c12, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 11 && has3)
                                Add<TVector, TOutputs>(ref c11, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 10 && has4)
                                Add<TVector, TOutputs>(ref c10, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 9 && has5)
                                Add<TVector, TOutputs>(ref c9, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 8 && has6)
                                Add<TVector, TOutputs>(ref c8, cell, w6, w, 6);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 16 && first <= 15 && 15 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TTaps.Value > 2 && TOutputs.Value > 13 && has2)
                                Add<TVector, TOutputs>(ref c13, cell, w2, w, 2);
                            if (TTaps.Value > 3 && TOutputs.Value > 12 && has3)
                                Add<TVector, TOutputs>(ref c12, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 11 && has4)
                                Add<TVector, TOutputs>(ref c11, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 10 && has5)
                                Add<TVector, TOutputs>(ref c10, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 9 && has6)
                                Add<TVector, TOutputs>(ref c9, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 17 && first <= 16 && 16 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TTaps.Value > 3 && TOutputs.Value > 13 && has3)
                                Add<TVector, TOutputs>(ref c13, cell, w3, w, 3);
                            if (TTaps.Value > 4 && TOutputs.Value > 12 && has4)
                                Add<TVector, TOutputs>(ref c12, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 11 && has5)
                                Add<TVector, TOutputs>(ref c11, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 10 && has6)
                                Add<TVector, TOutputs>(ref c10, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 18 && first <= 17 && 17 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step2), channels);
                            if (TTaps.Value > 4 && TOutputs.Value > 13 && has4)
                                Add<TVector, TOutputs>(ref c13, cell, w4, w, 4);
                            if (TTaps.Value > 5 && TOutputs.Value > 12 && has5)
                                Add<TVector, TOutputs>(ref c12, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 11 && has6)
                                Add<TVector, TOutputs>(ref c11, cell, w6, w, 6);
                        }

                        x += step3;
                        if (TOutputs.Value + TTaps.Value > 19 && first <= 18 && 18 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)x, channels);
                            if (TTaps.Value > 5 && TOutputs.Value > 13 && has5)
                                Add<TVector, TOutputs>(ref c13, cell, w5, w, 5);
                            if (TTaps.Value > 6 && TOutputs.Value > 12 && has6)
                                Add<TVector, TOutputs>(ref c12, cell, w6, w, 6);
                        }

                        if (TOutputs.Value + TTaps.Value > 20 && first <= 19 && 19 < end)
                        {
                            TVector cell = TEdge.Load<TVector>((float*)(x + step), channels);
                            if (TTaps.Value > 6 && TOutputs.Value > 13 && has6)
                                Add<TVector, TOutputs>(ref c13, cell, w6, w, 6);
                        }
                    }
                }
                while (TRange.IsChecked && ++segment < tile.SegmentCount);

                if (tile.Rectifier.IsCapped)
                {
                    c0 = Rectifier.Cap(c0);
                    if (TOutputs.Value > 1)
                        c1 = Rectifier.Cap(c1);
                    if (TOutputs.Value > 2)
                        c2 = Rectifier.Cap(c2);
                    if (TOutputs.Value > 3)
                        c3 = Rectifier.Cap(c3);
                    if (TOutputs.Value > 4)
                        c4 = Rectifier.Cap(c4);
                    if (TOutputs.Value > 5)
                        c5 = Rectifier.Cap(c5);
                    if (TOutputs.Value > 6)
                        c6 = Rectifier.Cap(c6);
                    if (TOutputs.Value > 7)
                        c7 = Rectifier.Cap(c7);
                    if (TOutputs.Value > 8)
                        c8 = Rectifier.Cap(c8);
                    if (TOutputs.Value > 9)
                        c9 = Rectifier.Cap(c9);
                    if (TOutputs.Value > 10)
                        c10 = Rectifier.Cap(c10);
                    if (TOutputs.Value > 11)
                        c11 = Rectifier.Cap(c11);
                    if (TOutputs.Value > 12)
                        c12 = Rectifier.Cap(c12);
                    if (TOutputs.Value > 13)
                        c13 = Rectifier.Cap(c13);
                }

                if (tile.Rectifier.IsOn)
                {
                    c0 = ReluFunction.Forward(c0);
                    if (TOutputs.Value > 1)
                        c1 = ReluFunction.Forward(c1);
                    if (TOutputs.Value > 2)
                        c2 = ReluFunction.Forward(c2);
                    if (TOutputs.Value > 3)
                        c3 = ReluFunction.Forward(c3);
                    if (TOutputs.Value > 4)
                        c4 = ReluFunction.Forward(c4);
                    if (TOutputs.Value > 5)
                        c5 = ReluFunction.Forward(c5);
                    if (TOutputs.Value > 6)
                        c6 = ReluFunction.Forward(c6);
                    if (TOutputs.Value > 7)
                        c7 = ReluFunction.Forward(c7);
                    if (TOutputs.Value > 8)
                        c8 = ReluFunction.Forward(c8);
                    if (TOutputs.Value > 9)
                        c9 = ReluFunction.Forward(c9);
                    if (TOutputs.Value > 10)
                        c10 = ReluFunction.Forward(c10);
                    if (TOutputs.Value > 11)
                        c11 = ReluFunction.Forward(c11);
                    if (TOutputs.Value > 12)
                        c12 = ReluFunction.Forward(c12);
                    if (TOutputs.Value > 13)
                        c13 = ReluFunction.Forward(c13);
                }

                float* y = output;
                nint next = tile.OutputStep;
                if (!TEdge.IsPartial && tile.Streams)
                {
                    TVector.StoreNonTemporal(y, c0);

                    if (TOutputs.Value > 1)
                        TVector.StoreNonTemporal(y + next, c1);

                    if (TOutputs.Value > 2)
                        TVector.StoreNonTemporal(y + (2 * next), c2);

                    if (TOutputs.Value > 3)
                    {
                        y += 3 * next;
                        TVector.StoreNonTemporal(y, c3);
                    }

                    if (TOutputs.Value > 4)
                        TVector.StoreNonTemporal(y + next, c4);

                    if (TOutputs.Value > 5)
                        TVector.StoreNonTemporal(y + (2 * next), c5);

                    if (TOutputs.Value > 6)
                    {
                        y += 3 * next;
                        TVector.StoreNonTemporal(y, c6);
                    }

                    if (TOutputs.Value > 7)
                        TVector.StoreNonTemporal(y + next, c7);

                    if (TOutputs.Value > 8)
                        TVector.StoreNonTemporal(y + (2 * next), c8);

                    if (TOutputs.Value > 9)
                    {
                        y += 3 * next;
                        TVector.StoreNonTemporal(y, c9);
                    }

                    if (TOutputs.Value > 10)
                        TVector.StoreNonTemporal(y + next, c10);

                    if (TOutputs.Value > 11)
                        TVector.StoreNonTemporal(y + (2 * next), c11);

                    if (TOutputs.Value > 12)
                    {
                        y += 3 * next;
                        TVector.StoreNonTemporal(y, c12);
                    }

                    if (TOutputs.Value > 13)
                        TVector.StoreNonTemporal(y + next, c13);
                }
                else
                {
                    if (TEdge.IsPartial)
                    {
                        y = tile.Edge;
                        next = TVector.Lanes;
                    }

                    TVector.Store(y, c0);

                    if (TOutputs.Value > 1)
                        TVector.Store(y + next, c1);

                    if (TOutputs.Value > 2)
                        TVector.Store(y + (2 * next), c2);

                    if (TOutputs.Value > 3)
                    {
                        y += 3 * next;
                        TVector.Store(y, c3);
                    }

                    if (TOutputs.Value > 4)
                        TVector.Store(y + next, c4);

                    if (TOutputs.Value > 5)
                        TVector.Store(y + (2 * next), c5);

                    if (TOutputs.Value > 6)
                    {
                        y += 3 * next;
                        TVector.Store(y, c6);
                    }

                    if (TOutputs.Value > 7)
                        TVector.Store(y + next, c7);

                    if (TOutputs.Value > 8)
                        TVector.Store(y + (2 * next), c8);

                    if (TOutputs.Value > 9)
                    {
                        y += 3 * next;
                        TVector.Store(y, c9);
                    }

                    if (TOutputs.Value > 10)
                        TVector.Store(y + next, c10);

                    if (TOutputs.Value > 11)
                        TVector.Store(y + (2 * next), c11);

                    if (TOutputs.Value > 12)
                    {
                        y += 3 * next;
                        TVector.Store(y, c12);
                    }

                    if (TOutputs.Value > 13)
                        TVector.Store(y + next, c13);

                    if (TEdge.IsPartial)
                        EdgeColumn.Store<TVector>(tile.Edge, output, tile.OutputStep, TOutputs.Value, channels);
                }

                if (tile.Ahead.IsOn)
                    tile.Ahead.Run(line, (tile.Channels - channels) / TVector.Lanes);

                input += TVector.Lanes;
                output += TVector.Lanes;
                block += tile.BlockStep;
                if (--blocksLeft == 0)
                {
                    blocksLeft = tile.Blocks;
                    block -= blocksLeft * tile.BlockStep;
                }

                // A last vector that would not be whole overlaps the one before instead, and writes the same bits there once more. Its weights are always the last block's.
                int left = channels - TVector.Lanes;
                if (left > 0 && left < TVector.Lanes)
                {
                    input += left - TVector.Lanes;
                    output += left - TVector.Lanes;
                    block = tile.Block + ((tile.Blocks - 1) * tile.BlockStep);
                    channels = 2 * TVector.Lanes;
                }
            }
        }
    }

    /// <summary>Whether a tap's weights have a register beside the outputs and the cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Held<TVector, TOutputs>(int tap)
        where TVector : struct, IVector<TVector>
        where TOutputs : struct, ISize => tap < TVector.Registers - 1 - TOutputs.Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TOutputs>(ref TVector sum, TVector cell, TVector weight, float* weights, int tap)
        where TVector : struct, IVector<TVector>
        where TOutputs : struct, ISize
    {
        if (Held<TVector, TOutputs>(tap))
            TVector.Accumulate(ref sum, cell, weight);
        else
            TVector.Accumulate(ref sum, cell, weights + (tap * TVector.Lanes));
    }
}
