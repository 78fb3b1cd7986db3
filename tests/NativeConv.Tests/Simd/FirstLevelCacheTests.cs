using System.Globalization;
using System.Runtime.Intrinsics.X86;
using FluentAssertions;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Simd;

public sealed class FirstLevelCacheTests
{
    /// <summary>Linux asks the processors for the same; elsewhere a plausible number must do.</summary>
    [Fact]
    public void Ways_OfThisProcessor_AreWhatTheSystemSays()
    {
        FirstLevelCache.Ways.Should().BeInRange(1, 64);
        if (!X86Base.IsSupported || !Directory.Exists("/sys/devices/system/cpu"))
            return;

        // A processor may have cores of two kinds.
        int[] ways =
        [
            .. Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*")
                .Select(cpu => Path.Combine(cpu, "cache/index0/ways_of_associativity"))
                .Where(File.Exists)
                .Select(file => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture)),
        ];
        if (ways.Length > 0)
            ways.Should().Contain(FirstLevelCache.Ways);
    }
}
