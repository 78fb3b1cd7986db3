using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="DepthwiseMicroKernel"/> for three taps along the axis whose outputs lie two source cells apart: the outer taps read every other cell, the middle one those between. Both runs of taps are had while the sums stay in registers, so that
/// outputs are written once, past the caches where they are large, and not read in between. The order of every value is the same: its bias, the outer taps across the axis, within those along it, then the middle ones. Channels fill their vectors.
/// </summary>
internal static unsafe class StridedDepthwiseMicroKernel
{
    /// <summary>The most outputs of a tile.</summary>
    public const int MostOutputs = 7;

    /// <summary>Taps of the first segment; the second has the one between them.</summary>
    private const int OuterTaps = 2;

    /// <summary>Whether there is a kernel for the tiles of a run: all positions inside the image but for one of the outer taps at either end.</summary>
    public static bool Has(SlidingRun run) =>
        run is { Taps: OuterTaps, Count: <= MostOutputs, Segments: [{ IsWhole: true, First: 0 or 1 }, { IsWhole: false, First: 0 } middle] } && run.MissingLast is 0 or 1 && middle.End == run.Count;

    /// <summary>The kernel for the tiles of a run that has one, for whole vectors of channels.</summary>
    public static delegate*<in DepthwiseTile, void> Get<TVector>(SlidingRun run)
        where TVector : struct, IVector<TVector> => (delegate*<in DepthwiseTile, void>)SizeDispatch.UpTo7(run.Count, new OutputsWork<TVector>(run));

    private readonly struct OutputsWork<TVector>(SlidingRun run) : ISizeWork
        where TVector : struct, IVector<TVector>
    {
        public nint Run<TOutputs>()
            where TOutputs : struct, ISize =>
            run.Segments[0].First > 0 ? Last<TOutputs, N1>() : Last<TOutputs, N0>();

        private nint Last<TOutputs, TFirst>()
            where TOutputs : struct, ISize
            where TFirst : struct, ISize
        {
            delegate*<in DepthwiseTile, void> kernel = run.MissingLast > 0
                ? &Run<TVector, TOutputs, Known<TFirst, N1>>
                : &Run<TVector, TOutputs, Known<TFirst, N0>>;
            return (nint)kernel;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TOutputs, TRange>(in DepthwiseTile tile)
        where TVector : struct, IVector<TVector>
        where TOutputs : struct, ISize
        where TRange : struct, ISlidingRange
    {
        // In bytes, so that an address is a base and a register.
        nint step = tile.InputStep * sizeof(float), step2 = 2 * step, step3 = 3 * step, cross = tile.InputCross * sizeof(float), weightCross = tile.WeightCross;
        int first = TRange.MissingFirst, end = TOutputs.Value + OuterTaps - 1 - TRange.MissingLast, lanes = TVector.Lanes;
        TileSegment outer = tile.Segments[0], middle = tile.Segments[1];
        for (int line = 0; line < tile.Lines; line++)
        {
            float* input = tile.Input + (line * tile.InputLine);
            float* output = tile.Output + (line * tile.OutputLine);
            float* block = tile.Block;
            int channels = tile.Channels;
            do
            {
                TVector bias = TVector.Load(block);
                TVector c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias;
                byte* row = (byte*)(input + outer.Input);
                float* w = block + tile.FirstWeight + outer.Weights;
                for (float* last = w + (tile.CrossTaps * weightCross); w != last; w += weightCross)
                {
                    byte* x = row;
                    row += cross;
                    TVector w0 = TVector.Load(w), w1 = TVector.Load(w + lanes);
                    if (first <= 0)
                    {
                        TVector cell = TVector.Load((float*)x);
                        TVector.Accumulate(ref c0, cell, w0);
                    }

                    if (1 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref c1, cell, w0);

                        TVector.Accumulate(ref c0, cell, w1);
                    }

                    if (TOutputs.Value > 1 && 2 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 2)
                            TVector.Accumulate(ref c2, cell, w0);

                        TVector.Accumulate(ref c1, cell, w1);
                    }

                    x += step3;
                    if (TOutputs.Value > 2 && 3 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 3)
                            TVector.Accumulate(ref c3, cell, w0);

                        TVector.Accumulate(ref c2, cell, w1);
                    }

                    if (TOutputs.Value > 3 && 4 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 4)
                            TVector.Accumulate(ref c4, cell, w0);

                        TVector.Accumulate(ref c3, cell, w1);
                    }

                    if (TOutputs.Value > 4 && 5 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 5)
                            TVector.Accumulate(ref c5, cell, w0);

                        TVector.Accumulate(ref c4, cell, w1);
                    }

                    x += step3;
                    if (TOutputs.Value > 5 && 6 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 6)
                            TVector.Accumulate(ref c6, cell, w0);

                        TVector.Accumulate(ref c5, cell, w1);
                    }

                    if (TOutputs.Value > 6 && 7 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        TVector.Accumulate(ref c6, cell, w1);
                    }
                }

                row = (byte*)(input + middle.Input);
                w = block + tile.FirstWeight + middle.Weights;
                for (float* last = w + (tile.CrossTaps * weightCross); w != last; w += weightCross)
                {
                    byte* x = row;
                    row += cross;
                    TVector w0 = TVector.Load(w);
                    TVector.Accumulate(ref c0, TVector.Load((float*)x), w0);
                    if (TOutputs.Value > 1)
                        TVector.Accumulate(ref c1, TVector.Load((float*)(x + step)), w0);

                    if (TOutputs.Value > 2)
                        TVector.Accumulate(ref c2, TVector.Load((float*)(x + step2)), w0);

                    x += step3;
                    if (TOutputs.Value > 3)
                        TVector.Accumulate(ref c3, TVector.Load((float*)x), w0);

                    if (TOutputs.Value > 4)
                        TVector.Accumulate(ref c4, TVector.Load((float*)(x + step)), w0);

                    if (TOutputs.Value > 5)
                        TVector.Accumulate(ref c5, TVector.Load((float*)(x + step2)), w0);

                    x += step3;
                    if (TOutputs.Value > 6)
                        TVector.Accumulate(ref c6, TVector.Load((float*)x), w0);
                }

                if (tile.Rectifier.IsOn)
                {
                    c0 = tile.Rectifier.Apply(c0);

                    if (TOutputs.Value > 1)
                        c1 = tile.Rectifier.Apply(c1);

                    if (TOutputs.Value > 2)
                        c2 = tile.Rectifier.Apply(c2);

                    if (TOutputs.Value > 3)
                        c3 = tile.Rectifier.Apply(c3);

                    if (TOutputs.Value > 4)
                        c4 = tile.Rectifier.Apply(c4);

                    if (TOutputs.Value > 5)
                        c5 = tile.Rectifier.Apply(c5);

                    if (TOutputs.Value > 6)
                        c6 = tile.Rectifier.Apply(c6);
                }

                nint next = tile.OutputStep;
                float* y = output;
                if (tile.Streams)
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
                }
                else
                {
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
                }

                if (tile.Ahead.IsOn)
                    tile.Ahead.Run(line, (tile.Channels - channels) / lanes);

                input += lanes;
                output += lanes;
                block += tile.BlockStep;
                channels -= lanes;
            }
            while (channels > 0);
        }
    }
}
