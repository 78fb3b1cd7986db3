using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// <see cref="DepthwiseMicroKernel"/> for sources that come from memory: two neighbouring outputs and four vectors of channels at a time, all channels before the next outputs, so that rows are read in the order of their addresses, which is how a
/// machine reads ahead; tiles of one vector read a line of the cache here and there. It calls for every few vectors, and loads more for each multiply-add than those, which a cache would feel. The order of every value is the same, for any runs of taps: its bias, then run by run the taps across the axis, within those along it. Channels fill their vectors.
/// </summary>
internal static unsafe class WideDepthwiseMicroKernel
{
    /// <summary>Outputs at a time, where both have all their taps.</summary>
    private const int Outputs = 2;

    /// <summary>The kernel for whole lines of a run of outputs.</summary>
    public static delegate*<in DepthwiseTile, void> Get<TVector>()
        where TVector : struct, IVector<TVector> => &Run<TVector>;

    /// <summary>In how many parts a line of some outputs and vectors of channels asks for what is needed next: one a call of <see cref="Add"/>.</summary>
    public static int Parts(in WideOutputs outputs, int vectors)
    {
        int pairs = Math.Max(0, outputs.End - outputs.First) / Outputs;
        return (outputs.Count - (pairs * (Outputs - 1))) * ((vectors / 4) + (vectors % 4 / 2) + (vectors % 2));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector>(in DepthwiseTile tile)
        where TVector : struct, IVector<TVector>
    {
        for (int line = 0; line < tile.Lines; line++)
        {
            float* input = tile.Input + (line * tile.InputLine);
            float* output = tile.Output + (line * tile.OutputLine);
            int part = 0;
            for (int index = 0, count; index < tile.Wide.Count; index += count)
            {
                count = index >= tile.Wide.First && index + Outputs <= tile.Wide.End ? Outputs : 1;
                if (count == Outputs)
                    part = RunChannels<TVector, N2>(tile, index, input, output, line, part);
                else
                    part = RunChannels<TVector, N1>(tile, index, input, output, line, part);

                input += count * tile.InputStep;
                output += count * tile.OutputStep;
            }
        }
    }

    /// <summary>All channels of one output or two; gives the number of the next part that is asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int RunChannels<TVector, TOutputs>(in DepthwiseTile tile, int index, float* input, float* output, int line, int part)
        where TVector : struct, IVector<TVector>
        where TOutputs : struct, ISize
    {
        float* block = tile.Block;
        int lanes = TVector.Lanes;
        for (int vectors = tile.Channels / lanes, count; vectors > 0; vectors -= count)
        {
            count = vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1;
            if (count == 4)
                Add<TVector, TOutputs, N4>(tile, index, input, output, block);
            else if (count == 2)
                Add<TVector, TOutputs, N2>(tile, index, input, output, block);
            else
                Add<TVector, TOutputs, N1>(tile, index, input, output, block);

            if (tile.Ahead.IsOn)
                tile.Ahead.RunNear(line, part++);

            input += count * lanes;
            output += count * lanes;
            block += count * tile.BlockStep;
        }

        return part;
    }

    /// <summary>Some vectors of channels. Taps that lie outside the image are left out of a single output's.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Add<TVector, TOutputs, TVectors>(in DepthwiseTile tile, int index, float* input, float* output, float* block)
        where TVector : struct, IVector<TVector>
        where TOutputs : struct, ISize
        where TVectors : struct, ISize
    {
        int lanes = TVector.Lanes;
        nint step = tile.InputStep, blockStep = tile.BlockStep;
        TVector c00 = TVector.Load(block), c01 = c00, c02 = c00, c03 = c00;
        if (TVectors.Value > 1)
            c01 = TVector.Load(block + blockStep);

        if (TVectors.Value > 2)
        {
            c02 = TVector.Load(block + (2 * blockStep));
            c03 = TVector.Load(block + (3 * blockStep));
        }

        TVector c10 = c00, c11 = c01, c12 = c02, c13 = c03;
        for (int i = 0; i < tile.SegmentCount; i++)
        {
            TileSegment segment = tile.Segments[i];
            int most = segment.IsWhole ? tile.Wide.Taps : tile.Wide.Taps - 1;
            int first = Math.Max(0, segment.First - index), taps = Math.Min(most, segment.End - index) - first;
            float* row = input + segment.Input + (first * step);
            float* weights = block + tile.FirstWeight + segment.Weights + (first * lanes);
            for (int across = 0; across < tile.CrossTaps; across++)
            {
                float* x = row, w = weights;
                for (int along = 0; along < taps; along++)
                {
                    float* next = x + step;
                    TVector w0 = TVector.Load(w);
                    TVector.Accumulate(ref c00, w0, x);
                    if (TOutputs.Value > 1)
                        TVector.Accumulate(ref c10, w0, next);

                    if (TVectors.Value > 1)
                    {
                        TVector w1 = TVector.Load(w + blockStep);
                        TVector.Accumulate(ref c01, w1, x + lanes);
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref c11, w1, next + lanes);
                    }

                    if (TVectors.Value > 2)
                    {
                        TVector w2 = TVector.Load(w + (2 * blockStep));
                        TVector.Accumulate(ref c02, w2, x + (2 * lanes));
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref c12, w2, next + (2 * lanes));

                        TVector w3 = TVector.Load(w + (3 * blockStep));
                        TVector.Accumulate(ref c03, w3, x + (3 * lanes));
                        if (TOutputs.Value > 1)
                            TVector.Accumulate(ref c13, w3, next + (3 * lanes));
                    }

                    x = next;
                    w += lanes;
                }

                row += tile.InputCross;
                weights += tile.WeightCross;
            }
        }

        Store<TVector, TVectors>(tile, output, c00, c01, c02, c03);
        if (TOutputs.Value > 1)
            Store<TVector, TVectors>(tile, output + tile.OutputStep, c10, c11, c12, c13);
    }

    /// <summary>An output's vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TVectors>(in DepthwiseTile tile, float* output, TVector c0, TVector c1, TVector c2, TVector c3)
        where TVector : struct, IVector<TVector>
        where TVectors : struct, ISize
    {
        int lanes = TVector.Lanes;
        Store(tile, output, c0);
        if (TVectors.Value > 1)
            Store(tile, output + lanes, c1);

        if (TVectors.Value > 2)
        {
            Store(tile, output + (2 * lanes), c2);
            Store(tile, output + (3 * lanes), c3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector>(in DepthwiseTile tile, float* output, TVector value)
        where TVector : struct, IVector<TVector>
    {
        if (tile.Rectifier.IsOn)
            value = tile.Rectifier.Apply(value);

        if (tile.Streams)
            TVector.StoreNonTemporal(output, value);
        else
            TVector.Store(output, value);
    }
}

/// <summary>A run of outputs as whole lines of them are computed.</summary>
/// <param name="Count">How many; none where tiles are computed by another kernel.</param>
/// <param name="Taps">The most taps of a segment.</param>
/// <param name="First">The first output that has all taps.</param>
/// <param name="End">One past the last output that has all taps.</param>
internal readonly record struct WideOutputs(int Count, int Taps, int First, int End)
{
    public static WideOutputs Of(SlidingRun run) => new(
        run.Count,
        run.Taps,
        run.Segments.Max(segment => (int?)segment.First) ?? 0,
        run.Segments.Min(segment => (int?)(segment.End - (segment.IsWhole ? run.Taps : run.Taps - 1) + 1)) ?? run.Count);
}
