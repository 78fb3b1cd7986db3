using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NativeConv.Simd;

/// <summary>How the levels that do not imply a fused multiply-add compute a * b + c.</summary>
internal interface IMultiplyAdd
{
    static abstract float Compute(float a, float b, float c);

    static abstract Vector128<float> Compute(Vector128<float> a, Vector128<float> b, Vector128<float> c);
}

/// <summary>One rounding: hardware FMA, the same bits at every width.</summary>
internal readonly struct Fused : IMultiplyAdd
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Compute(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Compute(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);
}

/// <summary>Two roundings, for hardware that would have to emulate a fused multiply-add in software.</summary>
internal readonly struct Unfused : IMultiplyAdd
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Compute(float a, float b, float c) => (a * b) + c;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Compute(Vector128<float> a, Vector128<float> b, Vector128<float> c) => (a * b) + c;
}
