using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>Work that is written once for every vector width. <see cref="SimdLevels.Dispatch{TWork, TResult}"/> picks the width.</summary>
internal interface ISimdWork<out TResult>
{
    TResult Run<TVector>()
        where TVector : struct, IVector<TVector>;
}

/// <summary>
/// Which vector widths this machine runs, and the one place that turns a width into a type. Dispatch once per operator call or plan,
/// never inside a loop.
/// </summary>
internal static class SimdLevels
{
    private const string OverrideVariable = "NATIVECONV_SIMD";

    /// <summary>Whether multiply-add rounds once here, so that results are the same bits at every width.</summary>
    public static bool HasFusedMultiplyAdd => Fma.IsSupported || AdvSimd.Arm64.IsSupported;

    /// <summary>Whether the hardware accelerates a level; levels it does not accelerate are never picked unasked.</summary>
    public static bool IsSupported(SimdLevel level) => level switch
    {
        SimdLevel.Scalar => true,
        SimdLevel.Vector128 => Vector128.IsHardwareAccelerated,
        SimdLevel.Vector256 => Avx2.IsSupported && Fma.IsSupported,
        SimdLevel.Vector512 => Avx512F.IsSupported && Vector512.IsHardwareAccelerated,
        _ => false,
    };

    private static bool IsCallable(SimdLevel level) => IsSupported(level) || (level == SimdLevel.Vector512 && IsSupported(SimdLevel.Vector256));

    /// <summary>The level that NATIVECONV_SIMD forces, else the widest that the hardware accelerates.</summary>
    /// <exception cref="InvalidOperationException">The variable names no level, or one that this machine lacks.</exception>
    public static SimdLevel Default => Choose(Environment.GetEnvironmentVariable(OverrideVariable));

    /// <summary>Every level this machine accelerates, narrowest first.</summary>
    public static IEnumerable<SimdLevel> Supported => Enum.GetValues<SimdLevel>().Where(IsSupported);

    /// <summary>Every level that can be asked for, narrowest first: also 512 bits as two accelerated halves, so that its tiles are tested on machines without it.</summary>
    public static IEnumerable<SimdLevel> Callable => Enum.GetValues<SimdLevel>().Where(IsCallable);

    internal static SimdLevel Choose(string? forced)
    {
        if (string.IsNullOrEmpty(forced))
            return Supported.Last();

        SimdLevel level = forced switch
        {
            "512" => SimdLevel.Vector512,
            "256" => SimdLevel.Vector256,
            "128" => SimdLevel.Vector128,
            "scalar" => SimdLevel.Scalar,
            _ => throw new InvalidOperationException($"{OverrideVariable} must be 512, 256, 128 or scalar, but is '{forced}'."),
        };
        return IsSupported(level)
            ? level
            : throw new InvalidOperationException($"{OverrideVariable} asks for {forced}, which this machine does not accelerate.");
    }

    /// <summary>Runs the work at a width.</summary>
    public static TResult Dispatch<TWork, TResult>(SimdLevel level, TWork work)
        where TWork : ISimdWork<TResult>
    {
        return level switch
        {
            SimdLevel.Vector512 when IsCallable(level) => work.Run<V512>(),
            SimdLevel.Vector256 when IsSupported(level) => work.Run<V256>(),
            SimdLevel.Vector128 => HasFusedMultiplyAdd ? work.Run<V128<Fused>>() : work.Run<V128<Unfused>>(),
            SimdLevel.Scalar => HasFusedMultiplyAdd ? work.Run<V1<Fused>>() : work.Run<V1<Unfused>>(),
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, $"This machine does not accelerate {level}."),
        };
    }
}
