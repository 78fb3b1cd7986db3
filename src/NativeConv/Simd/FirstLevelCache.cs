using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>The first-level data cache as the processor describes it: the core that asks first, where there are several kinds.</summary>
internal static class FirstLevelCache
{
    private const int UsualWays = 8;

    // Leaves of "cpuid" that describe caches alike, Intel's and AMD's, and those that tell the highest leaf of either range.
    private const int Leaf = 4, ExtendedLeaf = unchecked((int)0x8000001D), Highest = 0, HighestExtended = unchecked((int)0x80000000);

    /// <summary>AMD's older leaf, which a virtual machine may leave where it hides those: lines of a set in bits 16 to 23 of ECX, 255 where any line may be anywhere.</summary>
    private const int FirstLevelLeaf = unchecked((int)0x80000005), WaysShift = 16, WaysMask = 0xFF;

    private const int DataCache = 1, UnifiedCache = 3;

    /// <summary>An end for what answers every question alike.</summary>
    private const int MostCaches = 16;

    /// <summary>Lines of the cache that a set holds; 8 where the processor does not say.</summary>
    public static readonly int Ways = X86Base.IsSupported ? WaysOf(X86Base.CpuId) : UsualWays;

    /// <summary>The same of a processor that answers by leaf and index of a cache.</summary>
    internal static int WaysOf(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId) => Find(cpuId, Highest, Leaf) ?? Find(cpuId, HighestExtended, ExtendedLeaf) ?? FindOlder(cpuId) ?? UsualWays;

    private static int? Find(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId, int highest, int leaf)
    {
        if ((uint)cpuId(highest, 0).Eax < (uint)leaf)
            return null;

        for (int cache = 0; cache < MostCaches; cache++)
        {
            (int eax, int ebx, _, _) = cpuId(leaf, cache);
            int type = eax & 0x1F, level = (eax >> 5) & 7;
            if (type == 0)
                return null;

            if (level == 1 && type is DataCache or UnifiedCache)
                return (int)((uint)ebx >> 22) + 1;
        }

        return null;
    }

    private static int? FindOlder(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId)
    {
        if ((uint)cpuId(HighestExtended, 0).Eax < unchecked((uint)FirstLevelLeaf))
            return null;

        int ways = (cpuId(FirstLevelLeaf, 0).Ecx >> WaysShift) & WaysMask;
        return ways > 0 ? ways : null;
    }
}
