using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NativeConv.Simd;

/// <summary>
/// Stores of a vector's first lanes: a half, a quarter and a single lane, as the bits of their count say. A masked store is tens of micro-operations on
/// AMD up to Zen 4; branches on a count that stays the same cost next to nothing.
/// </summary>
internal static unsafe class FirstLanes
{
    /// <summary>Stores the first <paramref name="count"/> lanes, 0 to 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector256<float> value, int count)
    {
        Vector128<float> lanes = value.GetLower();
        if ((count & 4) != 0)
        {
            lanes.Store(destination);
            destination += 4;
            lanes = value.GetUpper();
        }

        Store(destination, lanes, count);
    }

    /// <summary>Stores the first <paramref name="count"/> % 4 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector128<float> value, int count)
    {
        if ((count & 2) != 0)
        {
            Unsafe.WriteUnaligned(destination, value.AsDouble().ToScalar());
            destination += 2;
            value = Vector128.Shuffle(value, Vector128.Create(2, 3, 2, 3));
        }

        if ((count & 1) != 0)
            *destination = value.ToScalar();
    }
}
