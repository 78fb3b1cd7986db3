using System.Globalization;
using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;
using Xunit.Sdk;

namespace NativeConv.Tests.Operators;

/// <summary>
/// Every operator that multiplies, adds and compares, on whole numbers, equals a plain reference in whole numbers: forward, input gradient and weight
/// gradient, at every level that can be called, over thousands of generated geometries, without a tolerance to hide behind. Packed weights, sums and scratch lie between guard pages, in front of one
/// geometry's and behind the next one's: a step beyond ends the process.
/// <c>NATIVECONV_GEOMETRIES</c> says how many geometries (20,000), <c>NATIVECONV_GEOMETRY_SEED</c> which, and <c>NATIVECONV_GEOMETRY</c> replays the one
/// whose number a failure names.
/// </summary>
public sealed class ExactnessTests
{
    private const int Geometries = 20_000;

    // Products are at most 49, and the largest case has 20,000 of them.
    private const int Magnitude = 7;

    /// <summary>The families, and how many of a hundred geometries are theirs.</summary>
    public static TheoryData<CaseFamily, int> Families => new()
    {
        { CaseFamily.Depthwise, 27 },
        { CaseFamily.Multiplied, 14 },
        { CaseFamily.Pointwise, 13 },
        { CaseFamily.Dense, 28 },
        { CaseFamily.FullyConnected, 5 },
        { CaseFamily.Pooling, 13 },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void WholeNumbers_AnyGeometryAndLevel_EqualTheReference(CaseFamily family, int percent)
    {
        ulong seed = (ulong)Setting("NATIVECONV_GEOMETRY_SEED", 1);
        int count = Setting("NATIVECONV_GEOMETRIES", Geometries) * percent / 100, only = Setting("NATIVECONV_GEOMETRY", -1);
        foreach (int number in only >= 0 ? [only] : Enumerable.Range(0, count))
        {
            object? sizes = null;
            try
            {
                using var blocks = new GuardedBlocks(number % 2 == 0 ? Guard.After : Guard.Before);
                if (family == CaseFamily.Pooling)
                    Pool((PoolingCase)(sizes = NumberedCases.Pooling(seed, number)));
                else
                    Convolve(family, (ConvolutionCase)(sizes = NumberedCases.Convolution(family, seed, number)));
            }
            catch (Exception e)
            {
                throw new XunitException(
                    $"{family} {sizes}: {e.Message} To replay it: NATIVECONV_GEOMETRY={number} NATIVECONV_GEOMETRY_SEED={seed} dotnet test --filter ExactnessTests",
                    e);
            }
        }
    }

    [Fact]
    public void Families_Together_AreAllOfThem() => Families.Sum(row => (int)row[1]).Should().Be(100);

    private static void Convolve(CaseFamily family, ConvolutionCase c)
    {
        Conv2DGeometry g = c.Geometry;
        int[] x = Integers(c.InputLength, 1), w = Integers(c.WeightsLength, 2), b = Integers(c.OutputChannels, 3), dy = Integers(c.OutputLength, 4);
        (int[] y, int[] dx, int[] dw) = WholeNumbers.Convolve(c, x, w, b, dy);
        float[] fx = Single(x), fw = Single(w), fb = Single(b), fdy = Single(dy);
        float[] ry = new float[y.Length], rdx = new float[dx.Length], rdw = new float[dw.Length];
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            ExecutionOptions execution = new() { Level = level, ThreadCount = 1 };
            ry.AsSpan().Fill(float.NaN);
            rdx.AsSpan().Fill(float.NaN);
            rdw.AsSpan().Fill(float.NaN);
            switch (family)
            {
                case CaseFamily.Depthwise or CaseFamily.Multiplied:
                    int multiplier = c.OutputChannels / c.InputChannels;
                    DepthwiseConvolution.Forward(g, c.InputChannels, fx, fw, fb, ry, multiplier, execution);
                    DepthwiseConvolution.BackwardInput(g, c.InputChannels, fdy, fw, rdx, multiplier, execution);
                    DepthwiseConvolution.BackwardWeights(g, c.InputChannels, fx, fdy, rdw, multiplier, execution);
                    break;
                case CaseFamily.FullyConnected:
                    FullyConnected.Forward(c.InputChannels, c.OutputChannels, fx, fw, fb, ry, execution);
                    FullyConnected.BackwardInput(c.InputChannels, c.OutputChannels, fdy, fw, rdx, execution);
                    FullyConnected.BackwardWeights(c.InputChannels, c.OutputChannels, fx, fdy, rdw, execution);
                    break;
                default:
                    Convolution.Forward(g, c.InputChannels, c.OutputChannels, fx, fw, fb, ry, c.Groups, execution);
                    Convolution.BackwardInput(g, c.InputChannels, c.OutputChannels, fdy, fw, rdx, c.Groups, execution);
                    Convolution.BackwardWeights(g, c.InputChannels, c.OutputChannels, fx, fdy, rdw, c.Groups, execution);
                    break;
            }

            Equal(ry, y, level, "y");
            Equal(rdx, dx, level, "dx");
            Equal(rdw, dw, level, "dw");

            // <conv(x), dy> = <x, convT(dy)> = <w, dw>, of what the library returned; the bias is no part of conv.
            long forward = 0;
            for (int i = 0; i < ry.Length; i++)
                forward += ((long)ry[i] - b[i % b.Length]) * dy[i];

            if (forward != Dot(rdx, x) || forward != Dot(rdw, w))
                throw new XunitException($"At {level} <conv(x), dy> is {forward}, <x, convT(dy)> {Dot(rdx, x)}, <w, dw> {Dot(rdw, w)}.");
        }
    }

    private static void Pool(PoolingCase c)
    {
        Conv2DGeometry g = c.Geometry;
        int[] x = Integers(c.InputLength, 1), dy = Integers(c.OutputLength, 2);
        (int[] largest, int[] largestGradient) = WholeNumbers.MaxPool(c, x, dy);
        // An average's share of a gradient is a whole number where the gradient is a multiple of its cells.
        int[] multiples = [.. dy.Select((value, output) => value * WholeNumbers.Window(c, output).Length)];
        (float[] mean, int[] meanGradient) = WholeNumbers.AveragePool(c, x, multiples);
        float[] fx = Single(x), y = new float[dy.Length], dx = new float[x.Length];
        byte[] winners = new byte[dy.Length];
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            ExecutionOptions execution = new() { Level = level, ThreadCount = 1 };
            Pooling.MaxForward(g, c.Channels, fx, y, winners, execution);
            Equal(y, Single(largest), level, "the largest");
            Pooling.MaxBackward(g, c.Channels, Single(dy), winners, dx, execution);
            Equal(dx, largestGradient, level, "the largest's dx");
            Pooling.AverageForward(g, c.Channels, fx, y, execution);
            Equal(y, mean, level, "the mean");
            Pooling.AverageBackward(g, c.Channels, Single(multiples), dx, execution);
            Equal(dx, meanGradient, level, "the mean's dx");
        }
    }

    private static void Equal(float[] actual, int[] expected, SimdLevel level, string what) => Equal(actual, Single(expected), level, what);

    private static void Equal(float[] actual, float[] expected, SimdLevel level, string what)
    {
        int same = actual.AsSpan().CommonPrefixLength(expected);
        if (same < expected.Length)
            throw new XunitException($"At {level} {what}[{same}] is {actual[same]} instead of {expected[same]}.");
    }

    private static long Dot(float[] left, int[] right)
    {
        long sum = 0;
        for (int i = 0; i < left.Length; i++)
            sum += (long)left[i] * right[i];
        return sum;
    }

    private static int[] Integers(int length, ulong seed) => Array.ConvertAll(TestData.Integers(length, seed, Magnitude), value => (int)value);

    private static float[] Single(int[] values) => Array.ConvertAll(values, value => (float)value);

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
