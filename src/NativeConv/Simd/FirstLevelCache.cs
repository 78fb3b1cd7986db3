using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>The first-level data cache of the processor that the program started on, as it describes itself.</summary>
internal static class FirstLevelCache
{
    private const int UsualWays = 8;

    // Leaves of "cpuid" that describe caches alike, Intel's and AMD's, and those that tell the highest leaf of either range.
    private const int Leaf = 4, ExtendedLeaf = unchecked((int)0x8000001D), Highest = 0, HighestExtended = unchecked((int)0x80000000);

    private const int DataCache = 1, UnifiedCache = 3;

    /// <summary>Lines of the cache that a set holds; 8 where the processor does not say.</summary>
    public static readonly int Ways = Find();

    private static int Find()
    {
        if (!X86Base.IsSupported)
            return UsualWays;

        return Find(Highest, Leaf) ?? Find(HighestExtended, ExtendedLeaf) ?? UsualWays;
    }

    private static int? Find(int highest, int leaf)
    {
        if ((uint)X86Base.CpuId(highest, 0).Eax < (uint)leaf)
            return null;

        for (int cache = 0; ; cache++)
        {
            (int eax, int ebx, _, _) = X86Base.CpuId(leaf, cache);
            int type = eax & 0x1F, level = (eax >> 5) & 7;
            if (type == 0)
                return null;

            if (level == 1 && type is DataCache or UnifiedCache)
                return (int)((uint)ebx >> 22) + 1;
        }
    }
}
