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
    /// The widest level that the hardware accelerates. A program compiled ahead of time holds one level alone, the widest that its instruction set fixes; where code is compiled as it is
    /// first used, the narrower ones are there too and cost nothing until then.
    /// </summary>
    private static SimdLevel Widest { get; } = RunWidest<LevelOf, SimdLevel>(default);

    /// <summary>Whether multiply-add rounds once here, so that results are the same bits at every width.</summary>
    public static bool HasFusedMultiplyAdd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Fma.IsSupported || AdvSimd.Arm64.IsSupported;
    }

    /// <summary>Whether the hardware accelerates a level and the program holds it; levels that are not accelerated are never picked unasked.</summary>
    public static bool IsSupported(SimdLevel level) => level == Widest
        || (RuntimeFeature.IsDynamicCodeSupported && level < Widest && level is SimdLevel.Scalar or SimdLevel.Vector128 or SimdLevel.Vector256);

    private static bool IsCallable(SimdLevel level) => IsSupported(level)
        || (RuntimeFeature.IsDynamicCodeSupported && level == SimdLevel.Vector512 && IsSupported(SimdLevel.Vector256));

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
            return Widest;

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
        if (!IsCallable(level))
            throw new ArgumentOutOfRangeException(nameof(level), level, $"This machine does not accelerate {level}, or this program was compiled ahead of time without it.");

        if (!RuntimeFeature.IsDynamicCodeSupported)
            return RunWidest<TWork, TResult>(work);

        return level switch
        {
            SimdLevel.Vector512 => work.Run<V512>(),
            SimdLevel.Vector256 => work.Run<V256>(),
            SimdLevel.Vector128 => HasFusedMultiplyAdd ? work.Run<V128<Fused>>() : work.Run<V128<Unfused>>(),
            _ => HasFusedMultiplyAdd ? work.Run<V1<Fused>>() : work.Run<V1<Unfused>>(),
        };
    }

    /// <summary>
    /// Runs the work at the widest level. The compiler ahead of time leaves out what a condition rules out only where that is one call to a property it knows, here and in
    /// <see cref="Dispatch{TWork, TResult}"/>: conditions put together in a property of their own would have it compile every kernel for every width.
    /// </summary>
    private static TResult RunWidest<TWork, TResult>(TWork work)
        where TWork : ISimdWork<TResult>
    {
        if (Avx512F.IsSupported)
        {
            // Ahead of time the instruction set was chosen. Whether a machine would rather have 256 bits is known only when it runs: asked here, it would keep the kernels of both.
            if (!RuntimeFeature.IsDynamicCodeSupported)
                return work.Run<V512>();

            if (Vector512.IsHardwareAccelerated)
                return work.Run<V512>();
        }

        if (Avx2.IsSupported && Fma.IsSupported)
            return work.Run<V256>();

        if (AdvSimd.Arm64.IsSupported)
            return work.Run<V128<Fused>>();

        // Every x64 machine: known to the compiler ahead of time, unlike what follows.
        if (Sse.IsSupported)
            return Fma.IsSupported ? work.Run<V128<Fused>>() : work.Run<V128<Unfused>>();

        if (Vector128.IsHardwareAccelerated)
            return work.Run<V128<Unfused>>();

        return Fma.IsSupported ? work.Run<V1<Fused>>() : work.Run<V1<Unfused>>();
    }

    private readonly struct LevelOf : ISimdWork<SimdLevel>
    {
        public SimdLevel Run<TVector>()
            where TVector : struct, IVector<TVector> => TVector.Lanes == 1 ? SimdLevel.Scalar : (SimdLevel)(TVector.Lanes * 8 * sizeof(float));
    }
}
