using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="DepthwiseGradientMicroKernel"/> for three taps along the axis: a loop over any number of outputs, which tests at each line where positions are missing. Where there are 32 registers two vectors of channels are
/// computed at once, 18 gradients, 6 outputs and the cell: no gradient waits for its last sum, and with 512 bits a pixel's lines of the cache come in pairs. The order of every sum is the same.
/// </summary>
internal static unsafe class ThreeTapGradientMicroKernel
{
    /// <summary>Taps along the axis.</summary>
    public const int Taps = 3;

    /// <summary>The most taps across of one call.</summary>
    public const int MostCross = 3;

    /// <summary>Vectors of channels that are computed together.</summary>
    public const int Vectors = 2;

    /// <summary>The most outputs of a line that one call should visit: three rows of cells, of at most two lines of the cache each, then stay in the first-level cache.</summary>
    public const int MostOutputs = 28;

    /// <summary>Whether there is a kernel for a run: all positions are inside the image but for at most two at either end.</summary>
    public static bool Has(SlidingRun run) => run is { Taps: Taps, Count: >= 2, Segments: [{ IsWhole: true, First: <= Taps - 1 }] } && run.MissingLast <= Taps - 1;

    /// <summary>Whether there is a kernel for <see cref="Vectors"/> whole vectors at once.</summary>
    public static bool HasVectors<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32;

    /// <summary>Whether calls for <see cref="Vectors"/> at once leave no part of a line of the cache to another call.</summary>
    public static bool TakesWholeLines<TVector>()
        where TVector : struct, IVector<TVector> => HasVectors<TVector>() && Vectors * TVector.Lanes >= Prefetch.LineFloats;

    /// <summary>The kernel for some taps across.</summary>
    public static delegate*<in DepthwiseGradientTile, void> Get<TVector, TEdge>(int crossTaps)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge => (delegate*<in DepthwiseGradientTile, void>)SizeDispatch.UpTo3(crossTaps, new CrossWork<TVector, N1, TEdge>());

    /// <summary>The kernel for <see cref="Vectors"/> at once, channels in whole numbers of them; null where there are no registers for it.</summary>
    public static delegate*<in DepthwiseGradientTile, void> GetVectors<TVector>(int crossTaps)
        where TVector : struct, IVector<TVector>
    {
        // A constant, so that a program compiled ahead of time holds kernels only where there are registers for them.
        if (TVector.Registers < 32)
            return null;

        return (delegate*<in DepthwiseGradientTile, void>)SizeDispatch.UpTo3(crossTaps, new CrossWork<TVector, N2, Whole>());
    }

    private const int LineBytes = Prefetch.LineFloats * sizeof(float);

    private readonly struct CrossWork<TVector, TVectors, TEdge> : ISizeWork
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TCross>()
            where TCross : struct, ISize
        {
            delegate*<in DepthwiseGradientTile, void> kernel = &ThreeTapGradientMicroKernel.Run<TVector, TVectors, TCross, TEdge>;
            return (nint)kernel;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TVectors, TCross, TEdge>(in DepthwiseGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
        where TCross : struct, ISize
        where TEdge : struct, IEdge
    {
        // In bytes, so that an address is a base and a register.
        nint step = tile.InputStep * sizeof(float), cross = tile.InputCross * sizeof(float), cross2 = 2 * cross, next = tile.OutputStep * sizeof(float);
        nint gradientTap = tile.GradientTap;
        int lanes = TVector.Lanes, second = lanes * sizeof(float);
        int triples = (tile.Outputs - 2) / 3, rest = (tile.Outputs - 2) % 3;
        for (int channel = 0; channel < tile.Channels; channel += TVectors.Value * lanes)
        {
            int count = tile.Channels - channel;
            int vector = channel / lanes;
            TVector zero = TVector.Zero;
            TVector a00 = zero, a01 = zero, a02 = zero, a10 = zero, a11 = zero, a12 = zero, a20 = zero, a21 = zero, a22 = zero;
            TVector b00 = zero, b01 = zero, b02 = zero, b10 = zero, b11 = zero, b12 = zero, b20 = zero, b21 = zero, b22 = zero;
            TVector d0 = zero, d1 = zero, d2 = zero, e0 = zero, e1 = zero, e2 = zero;
            float* g = tile.Gradient + channel;
            a00 = TEdge.Load<TVector>(g, count);
            a01 = TEdge.Load<TVector>(g + gradientTap, count);
            a02 = TEdge.Load<TVector>(g + (2 * gradientTap), count);
            if (TVectors.Value > 1)
            {
                b00 = TVector.Load(g + lanes);
                b01 = TVector.Load(g + gradientTap + lanes);
                b02 = TVector.Load(g + (2 * gradientTap) + lanes);
            }

            if (TCross.Value > 1)
            {
                g += tile.GradientCross;
                a10 = TEdge.Load<TVector>(g, count);
                a11 = TEdge.Load<TVector>(g + gradientTap, count);
                a12 = TEdge.Load<TVector>(g + (2 * gradientTap), count);
                if (TVectors.Value > 1)
                {
                    b10 = TVector.Load(g + lanes);
                    b11 = TVector.Load(g + gradientTap + lanes);
                    b12 = TVector.Load(g + (2 * gradientTap) + lanes);
                }
            }

            if (TCross.Value > 2)
            {
                g += tile.GradientCross;
                a20 = TEdge.Load<TVector>(g, count);
                a21 = TEdge.Load<TVector>(g + gradientTap, count);
                a22 = TEdge.Load<TVector>(g + (2 * gradientTap), count);
                if (TVectors.Value > 1)
                {
                    b20 = TVector.Load(g + lanes);
                    b21 = TVector.Load(g + gradientTap + lanes);
                    b22 = TVector.Load(g + (2 * gradientTap) + lanes);
                }
            }

            byte* xLine = (byte*)(tile.Input + channel);
            byte* dyLine = (byte*)(tile.OutputGradient + channel);
            for (int line = 0; line < tile.Lines; line++)
            {
                float* askedX = null;
                float* endX = null;
                float* askedDy = null;
                float* endDy = null;
                if (tile.Ahead.IsOn)
                {
                    askedX = tile.Ahead.SourceOf(tile.AheadLine + line, vector);
                    endX = tile.Ahead.SourceOf(tile.AheadLine + line, vector + TVectors.Value);
                    askedDy = tile.Ahead.ResultOf(tile.AheadLine + line, vector);
                    endDy = tile.Ahead.ResultOf(tile.AheadLine + line, vector + TVectors.Value);
                }

                byte* x = xLine;
                byte* dy = dyLine;
                xLine += tile.InputLine * sizeof(float);
                dyLine += tile.OutputLine * sizeof(float);

                d0 = TEdge.Load<TVector>((float*)dy, count);
                d1 = TEdge.Load<TVector>((float*)(dy + next), count);
                if (TVectors.Value > 1)
                {
                    e0 = TVector.Load((float*)(dy + second));
                    e1 = TVector.Load((float*)(dy + next + second));
                }

                dy += 2 * next;
                if (tile.First <= 0)
                {
                    AddOne<TVector, TCross, TEdge>(x, cross, cross2, count, d0, ref a00, ref a10, ref a20);
                    if (TVectors.Value > 1)
                        AddOne<TVector, TCross, TEdge>(x + second, cross, cross2, count, e0, ref b00, ref b10, ref b20);
                }

                x += step;
                if (tile.First <= 1)
                {
                    AddTwo<TVector, TCross, TEdge>(x, cross, cross2, count, d1, d0, ref a00, ref a01, ref a10, ref a11, ref a20, ref a21);
                    if (TVectors.Value > 1)
                        AddTwo<TVector, TCross, TEdge>(x + second, cross, cross2, count, e1, e0, ref b00, ref b01, ref b10, ref b11, ref b20, ref b21);
                }

                x += step;
                for (int i = triples; i != 0; i--)
                {
                    Ask<TVector, TVectors>(ref askedX, endX);
                    Ask<TVector, TVectors>(ref askedDy, endDy);
                    d2 = TEdge.Load<TVector>((float*)dy, count);
                    Add<TVector, TCross, TEdge>(x, cross, cross2, count, d2, d1, d0, ref a00, ref a01, ref a02, ref a10, ref a11, ref a12, ref a20, ref a21, ref a22);
                    if (TVectors.Value > 1)
                    {
                        e2 = TVector.Load((float*)(dy + second));
                        Add<TVector, TCross, TEdge>(x + second, cross, cross2, count, e2, e1, e0, ref b00, ref b01, ref b02, ref b10, ref b11, ref b12, ref b20, ref b21, ref b22);
                    }

                    dy += next;
                    x += step;
                    d0 = TEdge.Load<TVector>((float*)dy, count);
                    Add<TVector, TCross, TEdge>(x, cross, cross2, count, d0, d2, d1, ref a00, ref a01, ref a02, ref a10, ref a11, ref a12, ref a20, ref a21, ref a22);
                    if (TVectors.Value > 1)
                    {
                        e0 = TVector.Load((float*)(dy + second));
                        Add<TVector, TCross, TEdge>(x + second, cross, cross2, count, e0, e2, e1, ref b00, ref b01, ref b02, ref b10, ref b11, ref b12, ref b20, ref b21, ref b22);
                    }

                    dy += next;
                    x += step;
                    d1 = TEdge.Load<TVector>((float*)dy, count);
                    Add<TVector, TCross, TEdge>(x, cross, cross2, count, d1, d0, d2, ref a00, ref a01, ref a02, ref a10, ref a11, ref a12, ref a20, ref a21, ref a22);
                    if (TVectors.Value > 1)
                    {
                        e1 = TVector.Load((float*)(dy + second));
                        Add<TVector, TCross, TEdge>(x + second, cross, cross2, count, e1, e0, e2, ref b00, ref b01, ref b02, ref b10, ref b11, ref b12, ref b20, ref b21, ref b22);
                    }

                    dy += next;
                    x += step;
                }

                for (int i = rest; i != 0; i--)
                {
                    Ask<TVector, TVectors>(ref askedX, endX);
                    Ask<TVector, TVectors>(ref askedDy, endDy);
                    d2 = TEdge.Load<TVector>((float*)dy, count);
                    Add<TVector, TCross, TEdge>(x, cross, cross2, count, d2, d1, d0, ref a00, ref a01, ref a02, ref a10, ref a11, ref a12, ref a20, ref a21, ref a22);
                    d0 = d1;
                    d1 = d2;
                    if (TVectors.Value > 1)
                    {
                        e2 = TVector.Load((float*)(dy + second));
                        Add<TVector, TCross, TEdge>(x + second, cross, cross2, count, e2, e1, e0, ref b00, ref b01, ref b02, ref b10, ref b11, ref b12, ref b20, ref b21, ref b22);
                        e0 = e1;
                        e1 = e2;
                    }

                    dy += next;
                    x += step;
                }

                while (askedX < endX)
                    Ask<TVector, TVectors>(ref askedX, endX);

                while (askedDy < endDy)
                    Ask<TVector, TVectors>(ref askedDy, endDy);

                if (tile.Outputs < tile.End)
                {
                    AddTwo<TVector, TCross, TEdge>(x, cross, cross2, count, d1, d0, ref a01, ref a02, ref a11, ref a12, ref a21, ref a22);
                    if (TVectors.Value > 1)
                        AddTwo<TVector, TCross, TEdge>(x + second, cross, cross2, count, e1, e0, ref b01, ref b02, ref b11, ref b12, ref b21, ref b22);
                }

                x += step;
                if (tile.Outputs + 1 < tile.End)
                {
                    AddOne<TVector, TCross, TEdge>(x, cross, cross2, count, d1, ref a02, ref a12, ref a22);
                    if (TVectors.Value > 1)
                        AddOne<TVector, TCross, TEdge>(x + second, cross, cross2, count, e1, ref b02, ref b12, ref b22);
                }
            }

            g = TEdge.IsPartial ? tile.Edge : tile.Gradient + channel;
            nint resultTap = TEdge.IsPartial ? lanes : gradientTap, resultCross = TEdge.IsPartial ? Taps * lanes : tile.GradientCross;
            TVector.Store(g, a00);
            TVector.Store(g + resultTap, a01);
            TVector.Store(g + (2 * resultTap), a02);
            if (TVectors.Value > 1)
            {
                TVector.Store(g + lanes, b00);
                TVector.Store(g + resultTap + lanes, b01);
                TVector.Store(g + (2 * resultTap) + lanes, b02);
            }

            if (TCross.Value > 1)
            {
                g += resultCross;
                TVector.Store(g, a10);
                TVector.Store(g + resultTap, a11);
                TVector.Store(g + (2 * resultTap), a12);
                if (TVectors.Value > 1)
                {
                    TVector.Store(g + lanes, b10);
                    TVector.Store(g + resultTap + lanes, b11);
                    TVector.Store(g + (2 * resultTap) + lanes, b12);
                }
            }

            if (TCross.Value > 2)
            {
                g += resultCross;
                TVector.Store(g, a20);
                TVector.Store(g + resultTap, a21);
                TVector.Store(g + (2 * resultTap), a22);
                if (TVectors.Value > 1)
                {
                    TVector.Store(g + lanes, b20);
                    TVector.Store(g + resultTap + lanes, b21);
                    TVector.Store(g + (2 * resultTap) + lanes, b22);
                }
            }
        }
    }

    /// <summary>Asks for the next lines of the cache of a part, up to its end: for three outputs a third more than their vectors take, for those at a line's ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask<TVector, TVectors>(ref float* asked, float* end)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        if (asked >= end)
            return;

        int lines = Math.Max(1, TVectors.Value * TVector.Lanes / 4);
        byte* line = (byte*)asked;
        Prefetch.LineToSecondLevel(line);
        if (lines > 1)
            Prefetch.LineToSecondLevel(line + LineBytes);

        if (lines > 2)
        {
            Prefetch.LineToSecondLevel(line + (2 * LineBytes));
            Prefetch.LineToSecondLevel(line + (3 * LineBytes));
        }

        if (lines > 4)
        {
            Prefetch.LineToSecondLevel(line + (4 * LineBytes));
            Prefetch.LineToSecondLevel(line + (5 * LineBytes));
            Prefetch.LineToSecondLevel(line + (6 * LineBytes));
            Prefetch.LineToSecondLevel(line + (7 * LineBytes));
        }

        asked += lines * Prefetch.LineFloats;
    }

    /// <summary>Adds one position's cells, under each tap across, times the outputs that reach them by the first, second and third tap along.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TCross, TEdge>(
        byte* x, nint cross, nint cross2, int count, TVector d0, TVector d1, TVector d2, ref TVector g00, ref TVector g01, ref TVector g02,
        ref TVector g10, ref TVector g11, ref TVector g12, ref TVector g20, ref TVector g21, ref TVector g22)
        where TVector : struct, IVector<TVector>
        where TCross : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector cell = TEdge.Load<TVector>((float*)x, count);
        TVector.Accumulate(ref g00, cell, d0);
        TVector.Accumulate(ref g01, cell, d1);
        TVector.Accumulate(ref g02, cell, d2);
        if (TCross.Value > 1)
        {
            cell = TEdge.Load<TVector>((float*)(x + cross), count);
            TVector.Accumulate(ref g10, cell, d0);
            TVector.Accumulate(ref g11, cell, d1);
            TVector.Accumulate(ref g12, cell, d2);
        }

        if (TCross.Value > 2)
        {
            cell = TEdge.Load<TVector>((float*)(x + cross2), count);
            TVector.Accumulate(ref g20, cell, d0);
            TVector.Accumulate(ref g21, cell, d1);
            TVector.Accumulate(ref g22, cell, d2);
        }
    }

    /// <summary>The same where outputs reach them by two taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTwo<TVector, TCross, TEdge>(
        byte* x, nint cross, nint cross2, int count, TVector d0, TVector d1, ref TVector g00, ref TVector g01, ref TVector g10, ref TVector g11, ref TVector g20, ref TVector g21)
        where TVector : struct, IVector<TVector>
        where TCross : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector cell = TEdge.Load<TVector>((float*)x, count);
        TVector.Accumulate(ref g00, cell, d0);
        TVector.Accumulate(ref g01, cell, d1);
        if (TCross.Value > 1)
        {
            cell = TEdge.Load<TVector>((float*)(x + cross), count);
            TVector.Accumulate(ref g10, cell, d0);
            TVector.Accumulate(ref g11, cell, d1);
        }

        if (TCross.Value > 2)
        {
            cell = TEdge.Load<TVector>((float*)(x + cross2), count);
            TVector.Accumulate(ref g20, cell, d0);
            TVector.Accumulate(ref g21, cell, d1);
        }
    }

    /// <summary>The same where an output reaches them by one tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOne<TVector, TCross, TEdge>(byte* x, nint cross, nint cross2, int count, TVector d0, ref TVector g00, ref TVector g10, ref TVector g20)
        where TVector : struct, IVector<TVector>
        where TCross : struct, ISize
        where TEdge : struct, IEdge
    {
        TVector.Accumulate(ref g00, TEdge.Load<TVector>((float*)x, count), d0);
        if (TCross.Value > 1)
            TVector.Accumulate(ref g10, TEdge.Load<TVector>((float*)(x + cross), count), d0);

        if (TCross.Value > 2)
            TVector.Accumulate(ref g20, TEdge.Load<TVector>((float*)(x + cross2), count), d0);
    }
}
