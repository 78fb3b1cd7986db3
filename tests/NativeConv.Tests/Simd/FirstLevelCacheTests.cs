using System.Globalization;
using System.Runtime.Intrinsics.X86;
using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Simd;

public sealed class FirstLevelCacheTests
{
    private const uint IntelLeaf = 4, AmdLeaf = 0x8000001D, HighestAmd = 0x80000000;

    private const int Data = 1, Instructions = 2, Unified = 3;

    /// <summary>Linux reads the same from an Intel processor, of each core; elsewhere a plausible number must do.</summary>
    [Fact]
    public void Ways_OfThisProcessor_AreWhatTheSystemSays()
    {
        FirstLevelCache.Ways.Should().BeInRange(1, 64);
        const int StartOfGenuineIntel = 0x756E6547;
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Ebx != StartOfGenuineIntel || !Directory.Exists("/sys/devices/system/cpu"))
            return;

        int[] ways =
        [
            .. Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*")
                .Select(cpu => Path.Combine(cpu, "cache"))
                .Where(Directory.Exists)
                .SelectMany(caches => Directory.EnumerateDirectories(caches, "index*"))
                .Where(cache => Read(cache, "level") == "1" && Read(cache, "type") == "Data")
                .Select(cache => int.Parse(Read(cache, "ways_of_associativity"), CultureInfo.InvariantCulture)),
        ];
        if (ways.Length > 0)
            ways.Should().Contain(FirstLevelCache.Ways);
    }

    [Fact]
    public void Ways_OfAnIntel_AreThoseOfItsDataCache() =>
        FirstLevelCache.WaysOf(Answers(0x20, 0x80000008, IntelLeaf, (Instructions, 1, 8), (Data, 1, 12), (Unified, 2, 16))).Should().Be(12);

    /// <summary>AMD's answers nothing to Intel's question.</summary>
    [Fact]
    public void Ways_OfAnAmd_AreInALeafOfItsOwn() =>
        FirstLevelCache.WaysOf(Answers(0x10, 0x80000028, AmdLeaf, (Data, 1, 12), (Instructions, 1, 8))).Should().Be(12);

    /// <summary>As a virtual machine on an AMD EPYC answers: nothing about caches but in the older leaf.</summary>
    [Fact]
    public void Ways_OfAnAmdWhoseCachesAreHidden_AreInTheOlderLeaf()
    {
        static (int Eax, int Ebx, int Ecx, int Edx) Hides(uint leaf, uint highest, int older) => leaf switch
        {
            0 => (0xD, 0, 0, 0),
            HighestAmd => ((int)highest, 0, 0, 0),
            0x80000005 => (0, 0, older, 0),
            _ => default,
        };
        FirstLevelCache.WaysOf((leaf, _) => Hides((uint)leaf, 0x80000021, 0x300C0140)).Should().Be(12);
        FirstLevelCache.WaysOf((leaf, _) => Hides((uint)leaf, 0x80000021, 0x20080140)).Should().Be(8);
        FirstLevelCache.WaysOf((leaf, _) => Hides((uint)leaf, 0x80000004, 0x300C0140)).Should().Be(8, "a leaf beyond the highest must not be asked");
    }

    [Fact]
    public void Ways_OfAUnifiedCache_AreItsOwn() =>
        FirstLevelCache.WaysOf(Answers(4, 0x80000008, IntelLeaf, (Unified, 1, 4))).Should().Be(4);

    /// <summary>Of no cache, of none at the first level, of leaves beyond the highest, which must not be asked, and where every index answers alike.</summary>
    [Fact]
    public void Ways_OfASilentProcessor_AreEight()
    {
        FirstLevelCache.WaysOf(Answers(0x20, 0x80000028, IntelLeaf)).Should().Be(8);
        FirstLevelCache.WaysOf(Answers(0x20, 0x80000028, IntelLeaf, (Unified, 2, 16), (Unified, 3, 20))).Should().Be(8);
        FirstLevelCache.WaysOf(Answers(3, 0x8000001C, IntelLeaf, (Data, 1, 12))).Should().Be(8);
        FirstLevelCache.WaysOf(Answers(3, 0x8000001C, AmdLeaf, (Data, 1, 12))).Should().Be(8);
        FirstLevelCache.WaysOf((leaf, _) => (leaf is 0 or int.MinValue ? -1 : Instructions | (1 << 5), 0, 0, 0)).Should().Be(8);
    }

    /// <summary>As measured: caches of eight lines a set gain by copies of channel groups, those of twelve lose.</summary>
    [Fact]
    public void Copies_OfChannelGroups_AreForSmallSets()
    {
        CompactGroups.IsGainWith(8).Should().BeTrue();
        CompactGroups.IsGainWith(12).Should().BeFalse();
    }

    private static string Read(string cache, string file) => File.ReadAllText(Path.Combine(cache, file)).Trim();

    private static Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> Answers(uint highest, uint highestExtended, uint cacheLeaf, params (int Type, int Level, int Ways)[] caches) =>
        (leaf, index) => (uint)leaf switch
        {
            0 => ((int)highest, 0, 0, 0),
            HighestAmd => ((int)highestExtended, 0, 0, 0),
            uint asked when asked == cacheLeaf && index < caches.Length => (caches[index].Type | (caches[index].Level << 5), ((caches[index].Ways - 1) << 22) | 0x3F, 0, 0),
            _ => default,
        };
}
