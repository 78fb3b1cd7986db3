using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>Asks for memory that is needed soon.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Floats of a line of the cache.</summary>
    public const int LineFloats = 16;

    public static bool IsSupported => Sse.IsSupported;

    /// <summary>Asks for the line that holds an address to be brought to the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(float* address)
    {
        if (IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>Asks for the line that holds an address to be brought to the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LineToSecondLevel(byte* address)
    {
        if (IsSupported)
            Sse.Prefetch1(address);
    }

    /// <summary>Asks for some floats to be brought to the second-level cache. Any address will do; where the machine has no such instruction nothing happens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToSecondLevel(float* address, nint count)
    {
        if (!IsSupported)
            return;

        for (float* end = address + count; address < end; address += LineFloats)
            Sse.Prefetch1(address);
    }

    /// <summary>Asks for some floats to be brought to the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToFirstLevel(float* address, nint count)
    {
        if (!IsSupported)
            return;

        for (float* end = address + count; address < end; address += LineFloats)
            Sse.Prefetch0(address);
    }
}
