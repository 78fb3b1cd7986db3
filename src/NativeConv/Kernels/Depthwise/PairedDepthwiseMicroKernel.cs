using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="DepthwiseMicroKernel"/> for 3x3 windows whose lines share source rows, two lines at a time, where there are 32 registers: 14 outputs, two rows of weights and the cell. A cell is loaded once for both lines
/// and is added to six outputs, none of which waits for another. The order of every value is the same: its bias, the taps across the axis, within those the taps along it. Of two lines the first is the one whose first
/// source row is walked first. Channels fill their vectors. Nothing is called from tile to tile: pointers would be kept on the stack, and their loads wait for stores that share the lowest bits of their addresses.
/// </summary>
internal static unsafe class PairedDepthwiseMicroKernel
{
    /// <summary>Taps of the window, along the axis and across.</summary>
    public const int Taps = 3;

    /// <summary>Lines that are computed together.</summary>
    public const int Lines = 2;

    /// <summary>The most outputs of a line's tile.</summary>
    public const int MostOutputs = 7;

    /// <summary>Whether there is a kernel for the tiles of a run, along a window of as many taps: all positions inside the image but for one at either end.</summary>
    public static bool Has<TVector>(SlidingRun run)
        where TVector : struct, IVector<TVector> =>
        TVector.Registers >= 32 && run is { Taps: Taps, Count: <= MostOutputs, Segments: [{ IsWhole: true, First: 0 or 1 }] } && run.MissingLast is 0 or 1;

    /// <summary>The kernel for the tiles of a run that has one, for whole vectors of channels.</summary>
    public static delegate*<in DepthwiseTile, void> Get<TVector>(SlidingRun run)
        where TVector : struct, IVector<TVector>
    {
        // A constant, so that a program compiled ahead of time holds kernels only where there are registers for them.
        if (TVector.Registers < 32)
            return null;

        return (delegate*<in DepthwiseTile, void>)SizeDispatch.UpTo7(run.Count, new OutputsWork<TVector>(run));
    }

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
        nint step = tile.InputStep * sizeof(float), step2 = 2 * step, step3 = 3 * step, cross = tile.InputCross * sizeof(float);
        int first = TRange.MissingFirst, end = TOutputs.Value + Taps - 1 - TRange.MissingLast, lanes = TVector.Lanes;
        for (int line = 0; line < tile.Lines; line += Lines)
        {
            bool hasFirst = line > 0 || !tile.MissesFirst, hasLast = line < tile.Lines - Lines || !tile.MissesLast;
            float* input = tile.Input + (line * tile.InputLine);
            float* output = tile.Output + (line * tile.OutputLine);
            float* block = tile.Block;
            int channels = tile.Channels;
            do
            {
                TVector bias = TVector.Load(block);
                TVector a0 = bias, a1 = bias, a2 = bias, a3 = bias, a4 = bias, a5 = bias, a6 = bias;
                TVector b0 = bias, b1 = bias, b2 = bias, b3 = bias, b4 = bias, b5 = bias, b6 = bias;
                float* w = block + lanes;
                TVector w0 = TVector.Load(w), w1 = TVector.Load(w + lanes), w2 = TVector.Load(w + (2 * lanes));
                byte* row = (byte*)input;
                byte* x = row;
                if (hasFirst)
                {
                    if (first <= 0)
                    {
                        TVector cell = TVector.Load((float*)x);
                        TVector.Accumulate(ref a0, cell, w0);
                    }

                    if (first <= 1 && 1 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref a1, cell, w0);

                        TVector.Accumulate(ref a0, cell, w1);
                    }

                    if (first <= 2 && 2 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 2)
                            TVector.Accumulate(ref a2, cell, w0);

                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref a1, cell, w1);

                        TVector.Accumulate(ref a0, cell, w2);
                    }

                    x += step3;
                    if (TOutputs.Value > 1 && first <= 3 && 3 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 3)
                            TVector.Accumulate(ref a3, cell, w0);

                        if (TOutputs.Value > 2)
                            TVector.Accumulate(ref a2, cell, w1);

                        TVector.Accumulate(ref a1, cell, w2);
                    }

                    if (TOutputs.Value > 2 && first <= 4 && 4 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 4)
                            TVector.Accumulate(ref a4, cell, w0);

                        if (TOutputs.Value > 3)
                            TVector.Accumulate(ref a3, cell, w1);

                        TVector.Accumulate(ref a2, cell, w2);
                    }

                    if (TOutputs.Value > 3 && first <= 5 && 5 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 5)
                            TVector.Accumulate(ref a5, cell, w0);

                        if (TOutputs.Value > 4)
                            TVector.Accumulate(ref a4, cell, w1);

                        TVector.Accumulate(ref a3, cell, w2);
                    }

                    x += step3;
                    if (TOutputs.Value > 4 && first <= 6 && 6 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 6)
                            TVector.Accumulate(ref a6, cell, w0);

                        if (TOutputs.Value > 5)
                            TVector.Accumulate(ref a5, cell, w1);

                        TVector.Accumulate(ref a4, cell, w2);
                    }

                    if (TOutputs.Value > 5 && first <= 7 && 7 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 6)
                            TVector.Accumulate(ref a6, cell, w1);

                        TVector.Accumulate(ref a5, cell, w2);
                    }

                    if (TOutputs.Value > 6 && first <= 8 && 8 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        TVector.Accumulate(ref a6, cell, w2);
                    }
                }

                // The second line's weights are those that the first had a row before.
                int rows = Taps - 1;
                do
                {
                    TVector v0 = w0, v1 = w1, v2 = w2;
                    w += Taps * lanes;
                    w0 = TVector.Load(w);
                    w1 = TVector.Load(w + lanes);
                    w2 = TVector.Load(w + (2 * lanes));
                    row += cross;
                    x = row;
                    if (first <= 0)
                    {
                        TVector cell = TVector.Load((float*)x);
                        TVector.Accumulate(ref a0, cell, w0);
                        TVector.Accumulate(ref b0, cell, v0);
                    }

                    if (first <= 1 && 1 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 1)
                        {
                            TVector.Accumulate(ref a1, cell, w0);
                            TVector.Accumulate(ref b1, cell, v0);
                        }

                        TVector.Accumulate(ref a0, cell, w1);
                        TVector.Accumulate(ref b0, cell, v1);
                    }

                    if (first <= 2 && 2 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 2)
                        {
                            TVector.Accumulate(ref a2, cell, w0);
                            TVector.Accumulate(ref b2, cell, v0);
                        }

                        if (TOutputs.Value > 1)
                        {
                            TVector.Accumulate(ref a1, cell, w1);
                            TVector.Accumulate(ref b1, cell, v1);
                        }

                        TVector.Accumulate(ref a0, cell, w2);
                        TVector.Accumulate(ref b0, cell, v2);
                    }

                    x += step3;
                    if (TOutputs.Value > 1 && first <= 3 && 3 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 3)
                        {
                            TVector.Accumulate(ref a3, cell, w0);
                            TVector.Accumulate(ref b3, cell, v0);
                        }

                        if (TOutputs.Value > 2)
                        {
                            TVector.Accumulate(ref a2, cell, w1);
                            TVector.Accumulate(ref b2, cell, v1);
                        }

                        TVector.Accumulate(ref a1, cell, w2);
                        TVector.Accumulate(ref b1, cell, v2);
                    }

                    if (TOutputs.Value > 2 && first <= 4 && 4 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 4)
                        {
                            TVector.Accumulate(ref a4, cell, w0);
                            TVector.Accumulate(ref b4, cell, v0);
                        }

                        if (TOutputs.Value > 3)
                        {
                            TVector.Accumulate(ref a3, cell, w1);
                            TVector.Accumulate(ref b3, cell, v1);
                        }

                        TVector.Accumulate(ref a2, cell, w2);
                        TVector.Accumulate(ref b2, cell, v2);
                    }

                    if (TOutputs.Value > 3 && first <= 5 && 5 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 5)
                        {
                            TVector.Accumulate(ref a5, cell, w0);
                            TVector.Accumulate(ref b5, cell, v0);
                        }

                        if (TOutputs.Value > 4)
                        {
                            TVector.Accumulate(ref a4, cell, w1);
                            TVector.Accumulate(ref b4, cell, v1);
                        }

                        TVector.Accumulate(ref a3, cell, w2);
                        TVector.Accumulate(ref b3, cell, v2);
                    }

                    x += step3;
                    if (TOutputs.Value > 4 && first <= 6 && 6 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 6)
                        {
                            TVector.Accumulate(ref a6, cell, w0);
                            TVector.Accumulate(ref b6, cell, v0);
                        }

                        if (TOutputs.Value > 5)
                        {
                            TVector.Accumulate(ref a5, cell, w1);
                            TVector.Accumulate(ref b5, cell, v1);
                        }

                        TVector.Accumulate(ref a4, cell, w2);
                        TVector.Accumulate(ref b4, cell, v2);
                    }

                    if (TOutputs.Value > 5 && first <= 7 && 7 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 6)
                        {
                            TVector.Accumulate(ref a6, cell, w1);
                            TVector.Accumulate(ref b6, cell, v1);
                        }

                        TVector.Accumulate(ref a5, cell, w2);
                        TVector.Accumulate(ref b5, cell, v2);
                    }

                    if (TOutputs.Value > 6 && first <= 8 && 8 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        TVector.Accumulate(ref a6, cell, w2);
                        TVector.Accumulate(ref b6, cell, v2);
                    }
                }
                while (--rows != 0);

                if (hasLast)
                {
                    x = row + cross;
                    if (first <= 0)
                    {
                        TVector cell = TVector.Load((float*)x);
                        TVector.Accumulate(ref b0, cell, w0);
                    }

                    if (first <= 1 && 1 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref b1, cell, w0);

                        TVector.Accumulate(ref b0, cell, w1);
                    }

                    if (first <= 2 && 2 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 2)
                            TVector.Accumulate(ref b2, cell, w0);

                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref b1, cell, w1);

                        TVector.Accumulate(ref b0, cell, w2);
                    }

                    x += step3;
                    if (TOutputs.Value > 1 && first <= 3 && 3 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 3)
                            TVector.Accumulate(ref b3, cell, w0);

                        if (TOutputs.Value > 2)
                            TVector.Accumulate(ref b2, cell, w1);

                        TVector.Accumulate(ref b1, cell, w2);
                    }

                    if (TOutputs.Value > 2 && first <= 4 && 4 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 4)
                            TVector.Accumulate(ref b4, cell, w0);

                        if (TOutputs.Value > 3)
                            TVector.Accumulate(ref b3, cell, w1);

                        TVector.Accumulate(ref b2, cell, w2);
                    }

                    if (TOutputs.Value > 3 && first <= 5 && 5 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        if (TOutputs.Value > 5)
                            TVector.Accumulate(ref b5, cell, w0);

                        if (TOutputs.Value > 4)
                            TVector.Accumulate(ref b4, cell, w1);

                        TVector.Accumulate(ref b3, cell, w2);
                    }

                    x += step3;
                    if (TOutputs.Value > 4 && first <= 6 && 6 < end)
                    {
                        TVector cell = TVector.Load((float*)x);
                        if (TOutputs.Value > 6)
                            TVector.Accumulate(ref b6, cell, w0);

                        if (TOutputs.Value > 5)
                            TVector.Accumulate(ref b5, cell, w1);

                        TVector.Accumulate(ref b4, cell, w2);
                    }

                    if (TOutputs.Value > 5 && first <= 7 && 7 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step));
                        if (TOutputs.Value > 6)
                            TVector.Accumulate(ref b6, cell, w1);

                        TVector.Accumulate(ref b5, cell, w2);
                    }

                    if (TOutputs.Value > 6 && first <= 8 && 8 < end)
                    {
                        TVector cell = TVector.Load((float*)(x + step2));
                        TVector.Accumulate(ref b6, cell, w2);
                    }
                }

                if (tile.Rectifier.IsOn)
                {
                    a0 = tile.Rectifier.Apply(a0);
                    b0 = tile.Rectifier.Apply(b0);
                    if (TOutputs.Value > 1)
                    {
                        a1 = tile.Rectifier.Apply(a1);
                        b1 = tile.Rectifier.Apply(b1);
                    }

                    if (TOutputs.Value > 2)
                    {
                        a2 = tile.Rectifier.Apply(a2);
                        b2 = tile.Rectifier.Apply(b2);
                    }

                    if (TOutputs.Value > 3)
                    {
                        a3 = tile.Rectifier.Apply(a3);
                        b3 = tile.Rectifier.Apply(b3);
                    }

                    if (TOutputs.Value > 4)
                    {
                        a4 = tile.Rectifier.Apply(a4);
                        b4 = tile.Rectifier.Apply(b4);
                    }

                    if (TOutputs.Value > 5)
                    {
                        a5 = tile.Rectifier.Apply(a5);
                        b5 = tile.Rectifier.Apply(b5);
                    }

                    if (TOutputs.Value > 6)
                    {
                        a6 = tile.Rectifier.Apply(a6);
                        b6 = tile.Rectifier.Apply(b6);
                    }
                }

                nint next = tile.OutputStep;
                float* y = output;
                TVector.Store(y, a0);

                if (TOutputs.Value > 1)
                    TVector.Store(y + next, a1);

                if (TOutputs.Value > 2)
                    TVector.Store(y + (2 * next), a2);

                if (TOutputs.Value > 3)
                {
                    y += 3 * next;
                    TVector.Store(y, a3);
                }

                if (TOutputs.Value > 4)
                    TVector.Store(y + next, a4);

                if (TOutputs.Value > 5)
                    TVector.Store(y + (2 * next), a5);

                if (TOutputs.Value > 6)
                {
                    y += 3 * next;
                    TVector.Store(y, a6);
                }

                y = output + tile.OutputLine;
                TVector.Store(y, b0);

                if (TOutputs.Value > 1)
                    TVector.Store(y + next, b1);

                if (TOutputs.Value > 2)
                    TVector.Store(y + (2 * next), b2);

                if (TOutputs.Value > 3)
                {
                    y += 3 * next;
                    TVector.Store(y, b3);
                }

                if (TOutputs.Value > 4)
                    TVector.Store(y + next, b4);

                if (TOutputs.Value > 5)
                    TVector.Store(y + (2 * next), b5);

                if (TOutputs.Value > 6)
                {
                    y += 3 * next;
                    TVector.Store(y, b6);
                }

                if (tile.Ahead.IsOn)
                {
                    int vector = (tile.Channels - channels) / lanes;
                    tile.Ahead.Run(line, vector);
                    tile.Ahead.Run(line + 1, vector);
                }

                input += lanes;
                output += lanes;
                block += tile.BlockStep;
                channels -= lanes;
            }
            while (channels > 0);
        }
    }
}
