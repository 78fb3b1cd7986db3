using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the depthwise gradient kernel computes: the gradients of a run of taps along the sliding axis and some across, over some lines of outputs.</summary>
internal unsafe struct DepthwiseGradientTile
{
    /// <summary>x at position 0 under the first tap across, which may lie outside the image; floats to the next position, tap across and line.</summary>
    public float* Input;
    public nint InputStep, InputCross, InputLine;

    /// <summary>dy of the first output; floats to the next, and to the next line's.</summary>
    public float* OutputGradient;
    public nint OutputStep, OutputLine;

    /// <summary>The positions inside the image, where the kernel checks them: the first, and one past the last.</summary>
    public int First, End;

    /// <summary>Outputs of a line, for the kernel that is not made for their number.</summary>
    public int Outputs;

    public int Lines;

    /// <summary>The first tap's gradient, added to; floats to the next tap's along the axis, and across.</summary>
    public float* Gradient;
    public nint GradientTap, GradientCross;

    /// <summary>Where the gradients of channels that do not fill a vector are left, as whole vectors: [tap across, tap].</summary>
    public float* Edge;

    public int Channels;

    /// <summary>What is needed next, and which of its lines is the first of this call's.</summary>
    public FetchAhead Ahead;
    public int AheadLine;

    /// <summary>Goes on to later channels, for which nothing is asked ahead.</summary>
    public void Skip(int channels)
    {
        Input += channels;
        OutputGradient += channels;
        Gradient += channels;
        Ahead = default;
    }
}

/// <summary>
/// The micro-kernel of depthwise weight gradients: gradient [tap, channel] += sum over outputs t of x [t + tap, channel] * dy [t, channel]. A lane is a channel. A step takes one position
/// of x under each tap across and multiplies it with each of the outputs it reaches, which stay in registers as long as positions reach them: 3 + 1 loads for 9 multiply-adds.
/// Registers: a gradient for each tap, the outputs in reach, and the cell: 9 + 3 + 1 or 10 + 5 + 1 of 16.
/// Every gradient continues what it holds in one chain: lines in order, positions in order. Cells outside the image are never read; channels end in a masked vector.
/// </summary>
internal static unsafe class DepthwiseGradientMicroKernel
{
    /// <summary>The most outputs of a line that one call visits.</summary>
    public const int MostOutputs = SizeDispatch.Most;

    private const int MostCross = 3;

    /// <summary>The most gradients of one call.</summary>
    public const int MostGradients = DepthwiseMicroKernel.MostTaps * MostCross;

    /// <summary>The most taps across of one call whose runs have so many taps along the axis.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MostCrossTaps<TVector>(int taps)
        where TVector : struct, IVector<TVector> => taps * 4 <= TVector.Registers - 1 ? MostCross : taps * 3 <= TVector.Registers - 1 ? 2 : 1;

    /// <summary>The kernel for a segment of a run with some taps, under some taps across.</summary>
    public static delegate*<in DepthwiseGradientTile, void> Get<TVector, TEdge>(int taps, int crossTaps, int outputs, in SlidingSegment segment)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge => (delegate*<in DepthwiseGradientTile, void>)SizeDispatch.UpTo7(taps, new TapsWork<TVector, TEdge>(crossTaps, outputs, segment));

    private readonly struct TapsWork<TVector, TEdge>(int crossTaps, int outputs, SlidingSegment segment) : ISizeWork
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        public nint Run<TTaps>()
            where TTaps : struct, ISize => SizeDispatch.UpTo3(crossTaps, new CrossWork<TVector, TTaps, TEdge>(outputs, segment));
    }

    private readonly struct CrossWork<TVector, TTaps, TEdge>(int outputs, SlidingSegment segment) : ISizeWork
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TCross>()
            where TCross : struct, ISize => TCross.Value <= MostCrossTaps<TVector>(TTaps.Value)
                ? SizeDispatch.UpTo14(outputs, new OutputsWork<TVector, TTaps, TCross, TEdge>(segment))
                : throw SizeDispatch.Outside(TCross.Value);
    }

    private readonly struct OutputsWork<TVector, TTaps, TCross, TEdge>(SlidingSegment segment) : ISizeWork
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TCross : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TOutputs>()
            where TOutputs : struct, ISize =>
            SlidingRange.Run<TTaps, RangeWork<TVector, TTaps, TCross, TOutputs, TEdge>>(segment.First, TOutputs.Value + TTaps.Value - 1 - segment.End, new RangeWork<TVector, TTaps, TCross, TOutputs, TEdge>());
    }

    private readonly struct RangeWork<TVector, TTaps, TCross, TOutputs, TEdge> : ISlidingRangeWork
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TCross : struct, ISize
        where TOutputs : struct, ISize
        where TEdge : struct, IEdge
    {
        public nint Run<TRange>()
            where TRange : struct, ISlidingRange
        {
            delegate*<in DepthwiseGradientTile, void> kernel = &DepthwiseGradientMicroKernel.Run<TVector, TTaps, TCross, TOutputs, TRange, TEdge>;
            return (nint)kernel;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TTaps, TCross, TOutputs, TRange, TEdge>(in DepthwiseGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TCross : struct, ISize
        where TOutputs : struct, ISize
        where TRange : struct, ISlidingRange
        where TEdge : struct, IEdge
    {
        // In bytes, so that an address is a base and a register.
        nint step = tile.InputStep * sizeof(float), cross = tile.InputCross * sizeof(float), cross2 = 2 * cross;
        nint next = tile.OutputStep * sizeof(float), next2 = 2 * next, next3 = 3 * next;
        nint gradientTap = tile.GradientTap;

        // Constants, so that no test is left, unless the range is checked.
        int first = TRange.MissingFirst, end = TOutputs.Value + TTaps.Value - 1 - TRange.MissingLast;
        if (TRange.IsChecked)
            (first, end) = (tile.First, tile.End);

        for (int channel = 0; channel < tile.Channels; channel += TVector.Lanes)
        {
            int count = tile.Channels - channel;
            if (tile.Ahead.IsOn)
                tile.Ahead.RunLines(tile.AheadLine, tile.AheadLine + tile.Lines, channel / TVector.Lanes);

            TVector zero = TVector.Zero;
            TVector g00 = zero, g01 = zero, g02 = zero, g03 = zero, g04 = zero, g05 = zero, g06 = zero;
            TVector g10 = zero, g11 = zero, g12 = zero, g13 = zero, g14 = zero, g15 = zero, g16 = zero;
            TVector g20 = zero, g21 = zero, g22 = zero, g23 = zero, g24 = zero, g25 = zero, g26 = zero;
            TVector d0 = zero, d1 = zero, d2 = zero, d3 = zero, d4 = zero, d5 = zero, d6 = zero, d7 = zero, d8 = zero, d9 = zero, d10 = zero, d11 = zero, d12 = zero, d13 = zero;
            float* g = tile.Gradient + channel;
            g00 = TEdge.Load<TVector>(g, count);
            if (TTaps.Value > 1)
                g01 = TEdge.Load<TVector>(g += gradientTap, count);
            if (TTaps.Value > 2)
                g02 = TEdge.Load<TVector>(g += gradientTap, count);
            if (TTaps.Value > 3)
                g03 = TEdge.Load<TVector>(g += gradientTap, count);
            if (TTaps.Value > 4)
                g04 = TEdge.Load<TVector>(g += gradientTap, count);
            if (TTaps.Value > 5)
                g05 = TEdge.Load<TVector>(g += gradientTap, count);
            if (TTaps.Value > 6)
                g06 = TEdge.Load<TVector>(g += gradientTap, count);

            if (TCross.Value > 1)
            {
                g = tile.Gradient + channel + (1 * tile.GradientCross);
                g10 = TEdge.Load<TVector>(g, count);
                if (TTaps.Value > 1)
                    g11 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 2)
                    g12 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 3)
                    g13 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 4)
                    g14 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 5)
                    g15 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 6)
                    g16 = TEdge.Load<TVector>(g += gradientTap, count);
            }

            if (TCross.Value > 2)
            {
                g = tile.Gradient + channel + (2 * tile.GradientCross);
                g20 = TEdge.Load<TVector>(g, count);
                if (TTaps.Value > 1)
                    g21 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 2)
                    g22 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 3)
                    g23 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 4)
                    g24 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 5)
                    g25 = TEdge.Load<TVector>(g += gradientTap, count);
                if (TTaps.Value > 6)
                    g26 = TEdge.Load<TVector>(g += gradientTap, count);
            }

            byte* xLine = (byte*)(tile.Input + channel);
            byte* dyLine = (byte*)(tile.OutputGradient + channel);
            for (int line = tile.Lines; line > 0; line--)
            {
                byte* x = xLine;
                byte* dy = dyLine;
                xLine += tile.InputLine * sizeof(float);
                dyLine += tile.OutputLine * sizeof(float);

                d0 = TEdge.Load<TVector>((float*)dy, count);

                if (first <= 0 && 0 < end)
                {
                    Add<TVector, TTaps, TOutputs>(0, TEdge.Load<TVector>((float*)x, count), d0, zero, zero, zero, zero, zero, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(0, TEdge.Load<TVector>((float*)(x + cross), count), d0, zero, zero, zero, zero, zero, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(0, TEdge.Load<TVector>((float*)(x + cross2), count), d0, zero, zero, zero, zero, zero, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 1)
                    d1 = TEdge.Load<TVector>((float*)(dy + next), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 2 && first <= 1 && 1 < end)
                {
                    Add<TVector, TTaps, TOutputs>(1, TEdge.Load<TVector>((float*)x, count), d1, d0, zero, zero, zero, zero, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(1, TEdge.Load<TVector>((float*)(x + cross), count), d1, d0, zero, zero, zero, zero, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(1, TEdge.Load<TVector>((float*)(x + cross2), count), d1, d0, zero, zero, zero, zero, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 2)
                    d2 = TEdge.Load<TVector>((float*)(dy + next2), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 3 && first <= 2 && 2 < end)
                {
                    Add<TVector, TTaps, TOutputs>(2, TEdge.Load<TVector>((float*)x, count), d2, d1, d0, zero, zero, zero, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(2, TEdge.Load<TVector>((float*)(x + cross), count), d2, d1, d0, zero, zero, zero, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(2, TEdge.Load<TVector>((float*)(x + cross2), count), d2, d1, d0, zero, zero, zero, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 3)
                {
                    dy += next3;
                    d3 = TEdge.Load<TVector>((float*)dy, count);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 4 && first <= 3 && 3 < end)
                {
                    Add<TVector, TTaps, TOutputs>(3, TEdge.Load<TVector>((float*)x, count), d3, d2, d1, d0, zero, zero, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(3, TEdge.Load<TVector>((float*)(x + cross), count), d3, d2, d1, d0, zero, zero, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(3, TEdge.Load<TVector>((float*)(x + cross2), count), d3, d2, d1, d0, zero, zero, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 4)
                    d4 = TEdge.Load<TVector>((float*)(dy + next), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 5 && first <= 4 && 4 < end)
                {
                    Add<TVector, TTaps, TOutputs>(4, TEdge.Load<TVector>((float*)x, count), d4, d3, d2, d1, d0, zero, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(4, TEdge.Load<TVector>((float*)(x + cross), count), d4, d3, d2, d1, d0, zero, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(4, TEdge.Load<TVector>((float*)(x + cross2), count), d4, d3, d2, d1, d0, zero, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 5)
                    d5 = TEdge.Load<TVector>((float*)(dy + next2), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 6 && first <= 5 && 5 < end)
                {
                    Add<TVector, TTaps, TOutputs>(5, TEdge.Load<TVector>((float*)x, count), d5, d4, d3, d2, d1, d0, zero, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(5, TEdge.Load<TVector>((float*)(x + cross), count), d5, d4, d3, d2, d1, d0, zero, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(5, TEdge.Load<TVector>((float*)(x + cross2), count), d5, d4, d3, d2, d1, d0, zero, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 6)
                {
                    dy += next3;
                    d6 = TEdge.Load<TVector>((float*)dy, count);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 7 && first <= 6 && 6 < end)
                {
                    Add<TVector, TTaps, TOutputs>(6, TEdge.Load<TVector>((float*)x, count), d6, d5, d4, d3, d2, d1, d0, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(6, TEdge.Load<TVector>((float*)(x + cross), count), d6, d5, d4, d3, d2, d1, d0, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(6, TEdge.Load<TVector>((float*)(x + cross2), count), d6, d5, d4, d3, d2, d1, d0, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 7)
                    d7 = TEdge.Load<TVector>((float*)(dy + next), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 8 && first <= 7 && 7 < end)
                {
                    Add<TVector, TTaps, TOutputs>(7, TEdge.Load<TVector>((float*)x, count), d7, d6, d5, d4, d3, d2, d1, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(7, TEdge.Load<TVector>((float*)(x + cross), count), d7, d6, d5, d4, d3, d2, d1, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(7, TEdge.Load<TVector>((float*)(x + cross2), count), d7, d6, d5, d4, d3, d2, d1, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 8)
                    d8 = TEdge.Load<TVector>((float*)(dy + next2), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 9 && first <= 8 && 8 < end)
                {
                    Add<TVector, TTaps, TOutputs>(8, TEdge.Load<TVector>((float*)x, count), d8, d7, d6, d5, d4, d3, d2, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(8, TEdge.Load<TVector>((float*)(x + cross), count), d8, d7, d6, d5, d4, d3, d2, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(8, TEdge.Load<TVector>((float*)(x + cross2), count), d8, d7, d6, d5, d4, d3, d2, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 9)
                {
                    dy += next3;
                    d9 = TEdge.Load<TVector>((float*)dy, count);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 10 && first <= 9 && 9 < end)
                {
                    Add<TVector, TTaps, TOutputs>(9, TEdge.Load<TVector>((float*)x, count), d9, d8, d7, d6, d5, d4, d3, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(9, TEdge.Load<TVector>((float*)(x + cross), count), d9, d8, d7, d6, d5, d4, d3, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(9, TEdge.Load<TVector>((float*)(x + cross2), count), d9, d8, d7, d6, d5, d4, d3, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 10)
                    d10 = TEdge.Load<TVector>((float*)(dy + next), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 11 && first <= 10 && 10 < end)
                {
                    Add<TVector, TTaps, TOutputs>(10, TEdge.Load<TVector>((float*)x, count), d10, d9, d8, d7, d6, d5, d4, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(10, TEdge.Load<TVector>((float*)(x + cross), count), d10, d9, d8, d7, d6, d5, d4, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(10, TEdge.Load<TVector>((float*)(x + cross2), count), d10, d9, d8, d7, d6, d5, d4, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 11)
                    d11 = TEdge.Load<TVector>((float*)(dy + next2), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 12 && first <= 11 && 11 < end)
                {
                    Add<TVector, TTaps, TOutputs>(11, TEdge.Load<TVector>((float*)x, count), d11, d10, d9, d8, d7, d6, d5, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(11, TEdge.Load<TVector>((float*)(x + cross), count), d11, d10, d9, d8, d7, d6, d5, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(11, TEdge.Load<TVector>((float*)(x + cross2), count), d11, d10, d9, d8, d7, d6, d5, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 12)
                {
                    dy += next3;
                    d12 = TEdge.Load<TVector>((float*)dy, count);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 13 && first <= 12 && 12 < end)
                {
                    Add<TVector, TTaps, TOutputs>(12, TEdge.Load<TVector>((float*)x, count), d12, d11, d10, d9, d8, d7, d6, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(12, TEdge.Load<TVector>((float*)(x + cross), count), d12, d11, d10, d9, d8, d7, d6, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(12, TEdge.Load<TVector>((float*)(x + cross2), count), d12, d11, d10, d9, d8, d7, d6, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                if (TOutputs.Value > 13)
                    d13 = TEdge.Load<TVector>((float*)(dy + next), count);

                x += step;
                if (TOutputs.Value + TTaps.Value > 14 && first <= 13 && 13 < end)
                {
                    Add<TVector, TTaps, TOutputs>(13, TEdge.Load<TVector>((float*)x, count), d13, d12, d11, d10, d9, d8, d7, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(13, TEdge.Load<TVector>((float*)(x + cross), count), d13, d12, d11, d10, d9, d8, d7, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(13, TEdge.Load<TVector>((float*)(x + cross2), count), d13, d12, d11, d10, d9, d8, d7, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 15 && first <= 14 && 14 < end)
                {
                    Add<TVector, TTaps, TOutputs>(14, TEdge.Load<TVector>((float*)x, count), zero, d13, d12, d11, d10, d9, d8, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(14, TEdge.Load<TVector>((float*)(x + cross), count), zero, d13, d12, d11, d10, d9, d8, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(14, TEdge.Load<TVector>((float*)(x + cross2), count), zero, d13, d12, d11, d10, d9, d8, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 16 && first <= 15 && 15 < end)
                {
                    Add<TVector, TTaps, TOutputs>(15, TEdge.Load<TVector>((float*)x, count), zero, zero, d13, d12, d11, d10, d9, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(15, TEdge.Load<TVector>((float*)(x + cross), count), zero, zero, d13, d12, d11, d10, d9, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(15, TEdge.Load<TVector>((float*)(x + cross2), count), zero, zero, d13, d12, d11, d10, d9, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 17 && first <= 16 && 16 < end)
                {
                    Add<TVector, TTaps, TOutputs>(16, TEdge.Load<TVector>((float*)x, count), zero, zero, zero, d13, d12, d11, d10, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(16, TEdge.Load<TVector>((float*)(x + cross), count), zero, zero, zero, d13, d12, d11, d10, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(16, TEdge.Load<TVector>((float*)(x + cross2), count), zero, zero, zero, d13, d12, d11, d10, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 18 && first <= 17 && 17 < end)
                {
                    Add<TVector, TTaps, TOutputs>(17, TEdge.Load<TVector>((float*)x, count), zero, zero, zero, zero, d13, d12, d11, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(17, TEdge.Load<TVector>((float*)(x + cross), count), zero, zero, zero, zero, d13, d12, d11, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(17, TEdge.Load<TVector>((float*)(x + cross2), count), zero, zero, zero, zero, d13, d12, d11, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 19 && first <= 18 && 18 < end)
                {
                    Add<TVector, TTaps, TOutputs>(18, TEdge.Load<TVector>((float*)x, count), zero, zero, zero, zero, zero, d13, d12, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(18, TEdge.Load<TVector>((float*)(x + cross), count), zero, zero, zero, zero, zero, d13, d12, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(18, TEdge.Load<TVector>((float*)(x + cross2), count), zero, zero, zero, zero, zero, d13, d12, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }

                x += step;
                if (TOutputs.Value + TTaps.Value > 20 && first <= 19 && 19 < end)
                {
                    Add<TVector, TTaps, TOutputs>(19, TEdge.Load<TVector>((float*)x, count), zero, zero, zero, zero, zero, zero, d13, ref g00, ref g01, ref g02, ref g03, ref g04, ref g05, ref g06);
                    if (TCross.Value > 1)
                        Add<TVector, TTaps, TOutputs>(19, TEdge.Load<TVector>((float*)(x + cross), count), zero, zero, zero, zero, zero, zero, d13, ref g10, ref g11, ref g12, ref g13, ref g14, ref g15, ref g16);

                    if (TCross.Value > 2)
                        Add<TVector, TTaps, TOutputs>(19, TEdge.Load<TVector>((float*)(x + cross2), count), zero, zero, zero, zero, zero, zero, d13, ref g20, ref g21, ref g22, ref g23, ref g24, ref g25, ref g26);
                }
            }

            float* results = TEdge.IsPartial ? tile.Edge : tile.Gradient + channel;
            nint resultTap = TEdge.IsPartial ? TVector.Lanes : gradientTap, resultCross = TEdge.IsPartial ? TTaps.Value * TVector.Lanes : tile.GradientCross;
            g = results;
            TVector.Store(g, g00);
            if (TTaps.Value > 1)
                TVector.Store(g += resultTap, g01);
            if (TTaps.Value > 2)
                TVector.Store(g += resultTap, g02);
            if (TTaps.Value > 3)
                TVector.Store(g += resultTap, g03);
            if (TTaps.Value > 4)
                TVector.Store(g += resultTap, g04);
            if (TTaps.Value > 5)
                TVector.Store(g += resultTap, g05);
            if (TTaps.Value > 6)
                TVector.Store(g += resultTap, g06);

            if (TCross.Value > 1)
            {
                g = results + resultCross;
                TVector.Store(g, g10);
                if (TTaps.Value > 1)
                    TVector.Store(g += resultTap, g11);
                if (TTaps.Value > 2)
                    TVector.Store(g += resultTap, g12);
                if (TTaps.Value > 3)
                    TVector.Store(g += resultTap, g13);
                if (TTaps.Value > 4)
                    TVector.Store(g += resultTap, g14);
                if (TTaps.Value > 5)
                    TVector.Store(g += resultTap, g15);
                if (TTaps.Value > 6)
                    TVector.Store(g += resultTap, g16);
            }

            if (TCross.Value > 2)
            {
                g = results + (2 * resultCross);
                TVector.Store(g, g20);
                if (TTaps.Value > 1)
                    TVector.Store(g += resultTap, g21);
                if (TTaps.Value > 2)
                    TVector.Store(g += resultTap, g22);
                if (TTaps.Value > 3)
                    TVector.Store(g += resultTap, g23);
                if (TTaps.Value > 4)
                    TVector.Store(g += resultTap, g24);
                if (TTaps.Value > 5)
                    TVector.Store(g += resultTap, g25);
                if (TTaps.Value > 6)
                    TVector.Store(g += resultTap, g26);
            }
        }
    }

    /// <summary>Adds a cell times each output that it reaches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TTaps, TOutputs>(
        int position, TVector cell, TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, TVector d6,
        ref TVector g0, ref TVector g1, ref TVector g2, ref TVector g3, ref TVector g4, ref TVector g5, ref TVector g6)
        where TVector : struct, IVector<TVector>
        where TTaps : struct, ISize
        where TOutputs : struct, ISize
    {
        if (position < TOutputs.Value)
            TVector.Accumulate(ref g0, cell, d0);

        if (TTaps.Value > 1 && position >= 1 && position - 1 < TOutputs.Value)
            TVector.Accumulate(ref g1, cell, d1);

        if (TTaps.Value > 2 && position >= 2 && position - 2 < TOutputs.Value)
            TVector.Accumulate(ref g2, cell, d2);

        if (TTaps.Value > 3 && position >= 3 && position - 3 < TOutputs.Value)
            TVector.Accumulate(ref g3, cell, d3);

        if (TTaps.Value > 4 && position >= 4 && position - 4 < TOutputs.Value)
            TVector.Accumulate(ref g4, cell, d4);

        if (TTaps.Value > 5 && position >= 5 && position - 5 < TOutputs.Value)
            TVector.Accumulate(ref g5, cell, d5);

        if (TTaps.Value > 6 && position >= 6 && position - 6 < TOutputs.Value)
            TVector.Accumulate(ref g6, cell, d6);
    }
}
