using FluentAssertions;
using NativeConv.Numerics;
using NativeConv.Random;
using Xunit;

namespace NativeConv.Tests.Numerics;

public sealed class ScalarFunctionsTests
{
    private const double Tolerance = 2e-15;
    private RandomStream _random = new(20, StreamPurpose.Search);

    [Fact]
    public void Exp_AnyArgument_MatchesThePlatform()
    {
        for (int i = 0; i < 100_000; i++)
        {
            double x = Uniform(-700, 700), near = Uniform(-1, 1);
            ShouldMatch(ScalarFunctions.Exp(x), Math.Exp(x), x);
            ShouldMatch(ScalarFunctions.Exp(near), Math.Exp(near), near);
        }
    }

    [Fact]
    public void Log_AnyArgument_MatchesThePlatform()
    {
        for (int i = 0; i < 100_000; i++)
        {
            double x = Math.Exp(Uniform(-740, 700)), near = Uniform(0.5, 2);
            ShouldMatch(ScalarFunctions.Log(x), Math.Log(x), x);
            ShouldMatch(ScalarFunctions.Log(near), Math.Log(near), near);
        }
    }

    [Fact]
    public void Pow_AnyArgument_MatchesThePlatform()
    {
        for (int i = 0; i < 100_000; i++)
        {
            double x = Math.Exp(Uniform(-50, 50)), y = Uniform(-13, 13), steps = Math.Floor(Uniform(1, 100_000));
            ShouldMatch(ScalarFunctions.Pow(x, y), Math.Pow(x, y), x);
            ShouldMatch(ScalarFunctions.Pow(0.999, steps), Math.Pow(0.999, steps), steps);
        }
    }

    [Fact]
    public void SinAndCos_AnyAngle_MatchThePlatform()
    {
        for (int i = 0; i < 100_000; i++)
        {
            foreach (double x in (ReadOnlySpan<double>)[Uniform(-10, 10), Uniform(-1e6, 1e6), Uniform(-1e-3, 1e-3), i * (Math.PI / 2)])
            {
                ShouldMatch(ScalarFunctions.Sin(x), Math.Sin(x), x);
                ShouldMatch(ScalarFunctions.Cos(x), Math.Cos(x), x);
            }
        }
    }

    [Fact]
    public void EdgesOfTheRange_GiveWhatThePlatformGives()
    {
        double[] values = [0, -0.0, 1, -1, 1e-300, 5e-324, 1e308, 709.7, 709.8, -745, -746.5, -750, 1e9, -1e9,
            double.PositiveInfinity, double.NegativeInfinity, double.NaN];
        foreach (double x in values)
        {
            ShouldMatch(ScalarFunctions.Exp(x), Math.Exp(x), x);
            ShouldMatch(ScalarFunctions.Log(x), Math.Log(x), x);
            foreach (double y in (ReadOnlySpan<double>)(x >= 0 ? [0, 1, -1, 0.5, 1000, -1000] : []))
                ShouldMatch(ScalarFunctions.Pow(x, y), Math.Pow(x, y), x);
        }
    }

    [Fact]
    public void KnownArguments_GiveFixedBits()
    {
        long[] bits = [.. new[]
        {
            ScalarFunctions.Exp(1), ScalarFunctions.Log(10), ScalarFunctions.Pow(0.999, 1000), ScalarFunctions.Sin(1), ScalarFunctions.Cos(1),
        }.Select(BitConverter.DoubleToInt64Bits)];
        bits.Should().Equal(0x4005BF0A8B145769, 0x40026BB1BBB55516, 0x3FD788526411ED72, 0x3FEAED548F090CEE, 0x3FE14A280FB5068C);
    }

    private double Uniform(double low, double high) => low + (high - low) * _random.NextDouble();

    private static void ShouldMatch(double value, double expected, double argument)
    {
        bool near = value.Equals(expected) || Math.Abs(value - expected) <= Tolerance * Math.Abs(expected) + double.Epsilon;
        if (!near)
            value.Should().Be(expected, "the argument is {0:R}", argument);
    }
}
