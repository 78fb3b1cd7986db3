using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// The gradient of a row of 2x2 windows, a lane a channel, spread over the two lines that they cover: all of it to the winner. On the way each cell's dot product with a vector of weights: over 16 virtual lanes of
/// the channels, each adding in order, then a fixed tree.
/// </summary>
internal static unsafe class PooledSpread
{
    private const int Lanes = TreeSum.Values;

    /// <summary>Writes lines [2, 2 * windows, channels], and the dot products of each line's cells, <paramref name="dotsLine"/> floats apart. Channels are a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run<TVector>(float* pooled, byte* winners, int windows, int channels, float* lines, float* weights, float* dots, nint dotsLine)
        where TVector : struct, IVector<TVector>
    {
        float* sums = stackalloc float[4 * Lanes];
        nint below = (nint)2 * windows * channels;
        for (; windows > 0; windows--, pooled += channels, winners += channels, lines += 2 * channels, dots += 2)
        {
            for (int lane = 0; lane < Lanes; lane += TVector.Lanes)
            {
                TVector a = TVector.Zero, b = TVector.Zero, c = TVector.Zero, d = TVector.Zero;
                for (int channel = lane; channel < channels; channel += Lanes)
                {
                    TVector gradient = TVector.Load(pooled + channel), winner = TVector.LoadBytes(winners + channel, TVector.Lanes), weight = TVector.Load(weights + channel);
                    float* line = lines + channel;
                    TVector cell = TVector.And(TVector.EqualTo(winner, TVector.Zero), gradient);
                    TVector.Store(line, cell);
                    TVector.Accumulate(ref a, cell, weight);
                    cell = TVector.And(TVector.EqualTo(winner, TVector.Broadcast(1)), gradient);
                    TVector.Store(line + channels, cell);
                    TVector.Accumulate(ref b, cell, weight);
                    line += below;
                    cell = TVector.And(TVector.EqualTo(winner, TVector.Broadcast(2)), gradient);
                    TVector.Store(line, cell);
                    TVector.Accumulate(ref c, cell, weight);
                    cell = TVector.And(TVector.EqualTo(winner, TVector.Broadcast(3)), gradient);
                    TVector.Store(line + channels, cell);
                    TVector.Accumulate(ref d, cell, weight);
                }

                TVector.Store(sums + lane, a);
                TVector.Store(sums + Lanes + lane, b);
                TVector.Store(sums + (2 * Lanes) + lane, c);
                TVector.Store(sums + (3 * Lanes) + lane, d);
            }

            dots[0] = TreeSum.Of(sums);
            dots[1] = TreeSum.Of(sums + Lanes);
            dots[dotsLine] = TreeSum.Of(sums + (2 * Lanes));
            dots[dotsLine + 1] = TreeSum.Of(sums + (3 * Lanes));
        }
    }
}
