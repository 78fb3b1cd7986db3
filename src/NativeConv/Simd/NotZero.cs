using System.Runtime.Intrinsics;

namespace NativeConv.Simd;

/// <summary>Which of some values are not zero.</summary>
internal static unsafe class NotZero
{
    /// <summary>Bit i is set where value i is not zero; at most 32 values.</summary>
    public static uint Bits(float* values, int count)
    {
        uint bits = 0;
        int i = 0;
        for (; i + 4 <= count; i += 4)
            bits |= (Vector128.Equals(Vector128.Load(values + i), Vector128<float>.Zero).ExtractMostSignificantBits() ^ 0xF) << i;

        for (; i < count; i++)
            bits |= values[i] != 0 ? 1u << i : 0;

        return bits;
    }
}
