using FluentAssertions;
using NativeConv.Simd;

namespace NativeConv.Tests.Support;

/// <summary>One call of a kernel, with its sizes, on buffers that it asks for.</summary>
internal interface IGuardedKernel
{
    void Run<TVector>(GuardedBuffers buffers)
        where TVector : struct, IVector<TVector>;
}

/// <summary>
/// Runs kernels at every level with guards before, then after every buffer. A level gives the same bits whichever side the guards are, and so do
/// all levels with fused multiply-add.
/// </summary>
internal static class GuardedRun
{
    /// <summary>What properties draw from: a fault ends the process before FsCheck can name the case, but the next run comes to it again.</summary>
    public const string Seed = "20240229,1";

    /// <summary>Numbers around a lane count, twice and four times it, at every level: where tails and tiles of vectors begin and end.</summary>
    public static IReadOnlyList<int> Counts { get; } =
    [
        .. new SortedSet<int>(
            from lanes in (int[])[1, 4, 8, 16]
            from vectors in (int[])[1, 2, 4]
            from offset in (int[])[-1, 0, 1, 3]
            where (lanes * vectors) + offset > 0
            select (lanes * vectors) + offset),
    ];

    /// <summary>The same in whole numbers of 16, as the optimizers' vectors are.</summary>
    public static IReadOnlyList<int> WholeCounts { get; } = [16, 32, 48, 64, 80];

    public static void Of<TKernel>(TKernel kernel)
        where TKernel : struct, IGuardedKernel
    {
        byte[][]? expected = null;
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            if (!SimdLevels.HasFusedMultiplyAdd)
                expected = null;

            foreach (Guard guard in Enum.GetValues<Guard>())
            {
                byte[][] results = SimdLevels.Dispatch<Work<TKernel>, byte[][]>(level, new(kernel, guard));
                expected ??= results;
                for (int i = 0; i < results.Length; i++)
                    results[i].AsSpan().SequenceEqual(expected[i]).Should().BeTrue("result {0} of {1} at {2}, guards {3}, should have the same bits", i, kernel, level, guard);
            }
        }
    }

    private readonly struct Work<TKernel>(TKernel kernel, Guard guard) : ISimdWork<byte[][]>
        where TKernel : struct, IGuardedKernel
    {
        public byte[][] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            using var buffers = new GuardedBuffers(guard);
            kernel.Run<TVector>(buffers);
            return buffers.Finish();
        }
    }
}
