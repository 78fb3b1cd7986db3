using System.Runtime.CompilerServices;
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

    /// <summary>
    /// Whether code is compiled as it is first used, so that levels cost nothing until then. A program compiled ahead of time holds one level alone, the widest that its instruction
    /// set fixes; these properties are constants to its compiler, inlined into each other, and it leaves the others out.
    /// </summary>
    private static bool IsCompiledOnDemand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => RuntimeFeature.IsDynamicCodeSupported;
    }

    private static bool Has128
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.IsHardwareAccelerated;
    }

    private static bool Has256
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Avx2.IsSupported && Fma.IsSupported;
    }

    private static bool Has512
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Avx512F.IsSupported && Vector512.IsHardwareAccelerated;
    }

    /// <summary>Whether multiply-add rounds once here, so that results are the same bits at every width.</summary>
    public static bool HasFusedMultiplyAdd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Fma.IsSupported || AdvSimd.Arm64.IsSupported;
    }

    private static bool IsScalarSupported
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => IsCompiledOnDemand || !Has128;
    }

    private static bool Is128Supported
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Has128 && (IsCompiledOnDemand || !Has256);
    }

    private static bool Is256Supported
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Has256 && (IsCompiledOnDemand || !Has512);
    }

    private static bool Is512Callable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Has512 || (IsCompiledOnDemand && Has256);
    }

    /// <summary>Whether the hardware accelerates a level and the program holds it; levels that are not accelerated are never picked unasked.</summary>
    public static bool IsSupported(SimdLevel level) => level switch
    {
        SimdLevel.Scalar => IsScalarSupported,
        SimdLevel.Vector128 => Is128Supported,
        SimdLevel.Vector256 => Is256Supported,
        SimdLevel.Vector512 => Has512,
        _ => false,
    };

    private static bool IsCallable(SimdLevel level) => level == SimdLevel.Vector512 ? Is512Callable : IsSupported(level);

    /// <summary>The level that NATIVECONV_SIMD forces, else the widest that the hardware accelerates.</summary>
    /// <exception cref="InvalidOperationException">The variable names no level, or one that this machine lacks.</exception>
    public static SimdLevel Default => Choose(Environment.GetEnvironmentVariable(OverrideVariable));

    /// <summary>Every level this machine accelerates and the program holds, narrowest first.</summary>
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
            : throw new InvalidOperationException($"{OverrideVariable} asks for {forced}, which this machine does not accelerate, or this program was compiled ahead of time without it.");
    }

    /// <summary>Runs the work at a width.</summary>
    public static TResult Dispatch<TWork, TResult>(SimdLevel level, TWork work)
        where TWork : ISimdWork<TResult>
    {
        // Conditions that are constants to a compiler ahead of time stand alone, so that it drops what they rule out.
        if (Is512Callable && level == SimdLevel.Vector512)
            return work.Run<V512>();

        if (Is256Supported && level == SimdLevel.Vector256)
            return work.Run<V256>();

        if (Is128Supported && level == SimdLevel.Vector128)
            return HasFusedMultiplyAdd ? work.Run<V128<Fused>>() : work.Run<V128<Unfused>>();

        if (IsScalarSupported && level == SimdLevel.Scalar)
            return HasFusedMultiplyAdd ? work.Run<V1<Fused>>() : work.Run<V1<Unfused>>();

        throw new ArgumentOutOfRangeException(nameof(level), level, $"This machine does not accelerate {level}, or this program was compiled ahead of time without it.");
    }
}
