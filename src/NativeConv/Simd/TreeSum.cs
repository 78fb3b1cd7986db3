using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NativeConv.Simd;

/// <summary>The sum of 16 values in one order at every level: halves onto halves.</summary>
internal static unsafe class TreeSum
{
    public const int Values = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of(float* values)
    {
        Vector128<float> low = Vector128.Load(values) + Vector128.Load(values + 8), high = Vector128.Load(values + 4) + Vector128.Load(values + 12);
        Vector128<float> four = low + high, two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 2, 3));
        return two.ToScalar() + two.GetElement(1);
    }
}
