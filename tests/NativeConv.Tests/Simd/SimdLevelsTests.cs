using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using FluentAssertions;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Simd;

public sealed class SimdLevelsTests
{
    private const string ExpectedVariable = "NATIVECONV_EXPECT_LEVEL";

    /// <summary>
    /// <c>tests/levels.sh</c> runs the suite with instruction sets switched off, and names the widest level that is left: here a switch that does nothing
    /// shows. Hardware that is narrower still has its own level.
    /// </summary>
    [Fact]
    public void Widest_UnderAnySwitch_IsTheOneThatTheEnvironmentNames()
    {
        string? named = Environment.GetEnvironmentVariable(ExpectedVariable);
        if (string.IsNullOrEmpty(named))
        {
            // Nothing is switched off. Some processors with 512 bits are faster with 256, and .NET then prefers those.
            SimdLevels.Choose(null).Should().BeOneOf(Hardware, Narrower(Hardware, SimdLevel.Vector256));
            return;
        }

        SimdLevel expected = named switch
        {
            "256" => Narrower(Hardware, SimdLevel.Vector256),
            "128" => Narrower(Hardware, SimdLevel.Vector128),
            "scalar" => SimdLevel.Scalar,
            _ => throw new InvalidOperationException($"{ExpectedVariable} must be 256, 128 or scalar, but is '{named}'."),
        };
        SimdLevels.Choose(null).Should().Be(expected, "{0} is {1}", ExpectedVariable, named);
        // On x64 FMA goes with AVX2: without it, what ran are the forms that multiply and add.
        SimdLevels.HasFusedMultiplyAdd.Should().Be(expected >= SimdLevel.Vector256 || AdvSimd.Arm64.IsSupported);
    }

    [Fact]
    public void Supported_OnAnyMachine_StartsWithScalarAndWidens() =>
        SimdLevels.Supported.Should().StartWith(SimdLevel.Scalar).And.BeInAscendingOrder();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Choose_Nothing_IsTheWidest(string? forced) => SimdLevels.Choose(forced).Should().Be(SimdLevels.Supported.Max());

    [Theory]
    [InlineData("scalar", SimdLevel.Scalar)]
    [InlineData("128", SimdLevel.Vector128)]
    [InlineData("256", SimdLevel.Vector256)]
    [InlineData("512", SimdLevel.Vector512)]
    public void Choose_Level_IsThatLevelOrThrows(string forced, SimdLevel level)
    {
        if (SimdLevels.IsSupported(level))
        {
            SimdLevels.Choose(forced).Should().Be(level);
        }
        else
        {
            FluentActions.Invoking(() => SimdLevels.Choose(forced))
                .Should().Throw<InvalidOperationException>().WithMessage($"*NATIVECONV_SIMD*{forced}*");
        }
    }

    [Theory]
    [InlineData("64")]
    [InlineData("avx2")]
    [InlineData("Scalar")]
    [InlineData(" ")]
    public void Choose_UnknownValue_Throws(string forced) =>
        FluentActions.Invoking(() => SimdLevels.Choose(forced)).Should().Throw<InvalidOperationException>().WithMessage($"*'{forced}'*");

    [Fact]
    public void Dispatch_EveryLevel_RunsItsWidth()
    {
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            int expected = level == SimdLevel.Scalar ? 1 : (int)level / 32;
            SimdLevels.Dispatch<CountLanes, (int, int)>(level, default).Item1.Should().Be(expected);
            SimdLevels.Dispatch<CountLanes, (int, int)>(level, default).Item2.Should().BeOneOf(16, 32);
        }
    }

    [Fact]
    public void Dispatch_UnknownLevel_Throws() =>
        FluentActions.Invoking(() => SimdLevels.Dispatch<CountLanes, (int, int)>((SimdLevel)64, default))
            .Should().Throw<ArgumentOutOfRangeException>();

    /// <summary>The widest level of the processor itself, whatever is switched off.</summary>
    private static SimdLevel Hardware
    {
        get
        {
            if (!X86Base.IsSupported)
                return AdvSimd.IsSupported ? SimdLevel.Vector128 : SimdLevel.Scalar;

            // Leaf 1 has FMA, leaf 7 has AVX2 and AVX-512.
            int features = X86Base.CpuId(1, 0).Ecx, extended = X86Base.CpuId(7, 0).Ebx;
            if ((extended & (1 << 16)) != 0)
                return SimdLevel.Vector512;

            return (features & (1 << 12)) != 0 && (extended & (1 << 5)) != 0 ? SimdLevel.Vector256 : SimdLevel.Vector128;
        }
    }

    private static SimdLevel Narrower(SimdLevel a, SimdLevel b) => a < b ? a : b;

    private readonly struct CountLanes : ISimdWork<(int Lanes, int Registers)>
    {
        public (int Lanes, int Registers) Run<TVector>()
            where TVector : struct, IVector<TVector> => (TVector.Lanes, TVector.Registers);
    }
}
