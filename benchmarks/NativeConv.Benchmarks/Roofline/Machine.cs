using System.Runtime.CompilerServices;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Benchmarks.Roofline;

/// <summary>What the machine can do at a vector width on some threads: fused multiply-adds a second, and bytes a second by footprint.</summary>
/// <param name="PeakGflops">All threads together, an addition and a multiplication counted apart.</param>
/// <param name="Bandwidths">Bytes a thread touches, and gigabytes a second that all threads copy, read and written counted apart.</param>
internal sealed record Machine(double PeakGflops, IReadOnlyList<(string Name, long Footprint, double Gbps)> Bandwidths)
{
    public static Machine Measure(SimdLevel level, int threads) => SimdLevels.Dispatch<Work, Machine>(level, new(threads));

    /// <summary>The bandwidth of the smallest memory that holds a footprint of one thread.</summary>
    public double BandwidthOf(long footprint)
    {
        foreach ((_, long holds, double gbps) in Bandwidths)
        {
            if (footprint <= holds)
                return gbps;
        }

        return Bandwidths[^1].Gbps;
    }

    private readonly struct Work(int threads) : ISimdWork<Machine>
    {
        public Machine Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            const int Rounds = 2_000_000;
            int workers = threads;
            float[] sinks = new float[workers * 16];
            double seconds = Timing.Best(workers, worker => sinks[worker * 16] = Peak<TVector>(Rounds));
            double peak = 2.0 * 24 * TVector.Lanes * Rounds * workers / seconds / 1e9;
            return new(peak, [.. new (string, long)[] { ("L1", 32 << 10), ("L2", 1 << 20), ("L3", 8 << 20), ("DRAM", 256 << 20) }.Select(memory =>
                (memory.Item1, memory.Item2, Copy<TVector>(memory.Item2, workers)))]);
        }
    }

    /// <summary>24 independent chains of multiply-adds: twice what hides the latency of two units.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static unsafe float Peak<TVector>(int rounds)
        where TVector : struct, IVector<TVector>
    {
        TVector a = TVector.Broadcast(0.999f), b = TVector.Broadcast(0.001f);
        TVector c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (int i = 0; i < rounds; i++)
        {
            c0 = TVector.MultiplyAdd(c0, a, b);
            c1 = TVector.MultiplyAdd(c1, a, b);
            c2 = TVector.MultiplyAdd(c2, a, b);
            c3 = TVector.MultiplyAdd(c3, a, b);
            c4 = TVector.MultiplyAdd(c4, a, b);
            c5 = TVector.MultiplyAdd(c5, a, b);
            c6 = TVector.MultiplyAdd(c6, a, b);
            c7 = TVector.MultiplyAdd(c7, a, b);
            c8 = TVector.MultiplyAdd(c8, a, b);
            c9 = TVector.MultiplyAdd(c9, a, b);
            c10 = TVector.MultiplyAdd(c10, a, b);
            c11 = TVector.MultiplyAdd(c11, a, b);
            c0 = TVector.MultiplyAdd(c0, a, b);
            c1 = TVector.MultiplyAdd(c1, a, b);
            c2 = TVector.MultiplyAdd(c2, a, b);
            c3 = TVector.MultiplyAdd(c3, a, b);
            c4 = TVector.MultiplyAdd(c4, a, b);
            c5 = TVector.MultiplyAdd(c5, a, b);
            c6 = TVector.MultiplyAdd(c6, a, b);
            c7 = TVector.MultiplyAdd(c7, a, b);
            c8 = TVector.MultiplyAdd(c8, a, b);
            c9 = TVector.MultiplyAdd(c9, a, b);
            c10 = TVector.MultiplyAdd(c10, a, b);
            c11 = TVector.MultiplyAdd(c11, a, b);
        }

        float* lanes = stackalloc float[16];
        TVector.Store(lanes, c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11);
        return lanes[0];
    }

    /// <summary>Copies half of each thread's footprint to the other half, again and again.</summary>
    private static unsafe double Copy<TVector>(long footprint, int workers)
        where TVector : struct, IVector<TVector>
    {
        nint half = (nint)(footprint / 2 / sizeof(float));
        int repeats = (int)Math.Max(1, (64 << 20) / footprint);
        AlignedMemory[] blocks = [.. Enumerable.Range(0, workers).Select(_ => new AlignedMemory(2 * half))];
        double seconds = Timing.Best(workers, worker =>
        {
            for (int i = 0; i < repeats; i++)
                CopyOnce<TVector>(blocks[worker].Pointer, blocks[worker].Pointer + half, half);
        });
        return 2.0 * half * sizeof(float) * repeats * workers / seconds / 1e9;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static unsafe void CopyOnce<TVector>(float* from, float* to, nint count)
        where TVector : struct, IVector<TVector>
    {
        for (nint i = 0; i < count; i += 4 * TVector.Lanes)
        {
            TVector a = TVector.Load(from + i), b = TVector.Load(from + i + TVector.Lanes);
            TVector c = TVector.Load(from + i + (2 * TVector.Lanes)), d = TVector.Load(from + i + (3 * TVector.Lanes));
            TVector.Store(to + i, a);
            TVector.Store(to + i + TVector.Lanes, b);
            TVector.Store(to + i + (2 * TVector.Lanes), c);
            TVector.Store(to + i + (3 * TVector.Lanes), d);
        }
    }
}
