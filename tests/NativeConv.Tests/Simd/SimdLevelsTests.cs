using FluentAssertions;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Simd;

public sealed class SimdLevelsTests
{
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

    private readonly struct CountLanes : ISimdWork<(int Lanes, int Registers)>
    {
        public (int Lanes, int Registers) Run<TVector>()
            where TVector : struct, IVector<TVector> => (TVector.Lanes, TVector.Registers);
    }
}
