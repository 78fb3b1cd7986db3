using NativeConv.Operators;
using NativeConv.Simd;
using NativeConv.Threading;

namespace NativeConv;

/// <summary>
/// How a model or an operator computes. With hardware fused multiply-add none of it changes a bit of any result. Operators keep here what they
/// prepare for a shape, and up to 32 MB of memory to compute in: pass the same options again, and the next call of that shape starts at once.
/// </summary>
public sealed record ExecutionOptions
{
    /// <summary>Threads that work at once; every core's unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public int ThreadCount
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(ThreadCount), value, "There must be at least one thread.");
    } = Workers.DefaultCount;

    /// <summary>The vector width; the widest that the hardware accelerates unless set, or what NATIVECONV_SIMD says.</summary>
    public SimdLevel Level { get; init; } = SimdLevels.Default;

    internal PreparedConvolutions Prepared { get; } = new();
}
