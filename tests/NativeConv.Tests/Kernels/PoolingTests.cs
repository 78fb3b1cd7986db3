using FluentAssertions;
using FsCheck.Xunit;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

public sealed unsafe class PoolingTests
{
    public static TheoryData<SimdLevel> Levels => [.. SimdLevels.Callable];

    /// <summary>A window of 2x2 has a kernel of its own where the stride is 2, and the general one where it is 1.</summary>
    public static TheoryData<SimdLevel, int> LevelsAndStrides
    {
        get
        {
            var data = new TheoryData<SimdLevel, int>();
            foreach (SimdLevel level in SimdLevels.Callable)
            {
                data.Add(level, 1);
                data.Add(level, 2);
            }

            return data;
        }
    }

    [Property(MaxTest = 100, Arbitrary = [typeof(GeometryGenerators)])]
    public void MaxPool_Integers_EqualTheOracleAndKeepEveryGradient(PoolingCase c)
    {
        float[] x = TestData.Integers(c.InputLength, 1), dy = TestData.Integers(c.OutputLength, 2);
        double[] expected = LayerOracle.MaxPool(c, TestData.ToDouble(x));
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            (float[] y, float[] dx) = Run(level, c, x, dy, max: true);
            y.Should().Equal(TestData.ToSingle(expected));
            dx.Sum(value => (double)value).Should().Be(dy.Sum(value => (double)value), "each output's gradient goes to one cell");
            dx.Should().Equal(MaxPoolGradient(c, x, dy));
        }
    }

    /// <summary>Windows of 2x2 whose strides differ by axis, that leave cells out, and that the right or the lower edge cuts.</summary>
    [Theory]
    [InlineData(9, 7, 4, 2, false)]
    [InlineData(7, 9, 2, 4, false)]
    [InlineData(6, 7, 2, 2, false)]
    [InlineData(6, 7, 2, 2, true)]
    [InlineData(7, 6, 2, 2, true)]
    [InlineData(7, 7, 3, 2, true)]
    public void MaxPool_TwoByTwoWindows_EqualTheOracle(int height, int width, int strideHeight, int strideWidth, bool same)
    {
        var geometry = new Conv2DGeometry(height, width, 2, new(strideHeight, strideWidth), 1, same ? Padding.Same : Padding.Valid);
        foreach (int channels in (int[])[1, 8, 19])
            MaxPool_Integers_EqualTheOracleAndKeepEveryGradient(new(2, geometry, channels));
    }

    [Property(MaxTest = 100, Arbitrary = [typeof(GeometryGenerators)])]
    public void AveragePool_Integers_EqualTheOracleAndItsAdjoint(PoolingCase c)
    {
        float[] x = TestData.Integers(c.InputLength, 1), dy = TestData.Integers(c.OutputLength, 2);
        double[] expected = LayerOracle.AveragePool(c, TestData.ToDouble(x));
        (float[] first, float[] firstGradient) = Run(SimdLevel.Scalar, c, x, dy, max: false);
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            (float[] y, float[] dx) = Run(level, c, x, dy, max: false);
            y.Should().Equal(TestData.ToSingle(expected));
            dx.Should().Equal(firstGradient);
        }

        double forward = first.Zip(dy, (a, b) => (double)a * b).Sum(), backward = firstGradient.Zip(x, (a, b) => (double)a * b).Sum();
        backward.Should().BeApproximately(forward, 1e-4 * (1 + Math.Abs(forward)), "pooling and its gradient are adjoint");
    }

    [Theory]
    [MemberData(nameof(LevelsAndStrides))]
    public void MaxPool_TiesAndNaN_TakeTheFirstInRowOrder(SimdLevel level, int stride)
    {
        var c = new PoolingCase(1, new(2, 2, 2, stride, 1, Padding.Valid), 3);
        // Channel 0 ties at cells 1 and 2, channel 1 has NaN at 2 and 3, channel 2 has only -infinity.
        float inf = float.NegativeInfinity, nan = float.NaN;
        float[] x = [1, 9, inf, 5, 1, inf, 5, nan, inf, 2, nan, inf];
        (float[] y, float[] dx) = Run(level, c, x, [10, 20, 30], max: true);
        y.Should().Equal(5, nan, inf);
        dx.Should().Equal(0, 0, 30, 10, 0, 0, 0, 20, 0, 0, 0, 0);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void BytesOfVectors_EveryValueAndCount_AreExactBetweenTheGuards(SimdLevel level) => SimdLevels.Dispatch<Bytes, bool>(level, default).Should().BeTrue();

    /// <summary>Each output's gradient, added to the first of the largest cells inside the image.</summary>
    private static float[] MaxPoolGradient(PoolingCase c, float[] x, float[] dy)
    {
        Conv2DGeometry g = c.Geometry;
        float[] dx = new float[x.Length];
        for (int i = 0; i < dy.Length; i++)
        {
            int channel = i % c.Channels, column = i / c.Channels % g.OutputWidth, row = i / c.Channels / g.OutputWidth % g.OutputHeight, image = i / c.Channels / g.OutputPixels;
            int winner = -1;
            for (int cell = 0; cell < g.KernelHeight * g.KernelWidth; cell++)
            {
                int y = (row * g.StrideHeight) - g.PadTop + (cell / g.KernelWidth), at = (column * g.StrideWidth) - g.PadLeft + (cell % g.KernelWidth);
                if (y < 0 || y >= g.InputHeight || at < 0 || at >= g.InputWidth)
                    continue;

                int candidate = (((((image * g.InputHeight) + y) * g.InputWidth) + at) * c.Channels) + channel;
                winner = winner < 0 || x[candidate] > x[winner] ? candidate : winner;
            }

            dx[winner] += dy[i];
        }

        return dx;
    }

    private static (float[] Y, float[] Dx) Run(SimdLevel level, PoolingCase c, float[] x, float[] dy, bool max) =>
        SimdLevels.Dispatch<Work, (float[], float[])>(level, new(c, x, dy, max));

    private readonly struct Work(PoolingCase c, float[] x, float[] dy, bool max) : ISimdWork<(float[] Y, float[] Dx)>
    {
        public (float[] Y, float[] Dx) Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            using GuardedMemory from = new(x, Guard.After), y = new(dy.Length, Guard.After), dx = new(x.Length, Guard.Before), gradient = new(dy, Guard.After);
            using var winners = new GuardedBytes(dy.Length, Guard.After);
            if (max)
            {
                MaxPoolKernel.Forward<TVector>(c.Geometry, c.Channels, from.Pointer, y.Pointer, winners.Address, c.Images);
                MaxPoolKernel.Backward<TVector>(c.Geometry, c.Channels, gradient.Pointer, winners.Address, dx.Pointer, c.Images);
            }
            else
            {
                AveragePoolKernel.Forward<TVector>(c.Geometry, c.Channels, from.Pointer, y.Pointer, c.Images);
                AveragePoolKernel.Backward<TVector>(c.Geometry, c.Channels, gradient.Pointer, dx.Pointer, c.Images);
            }

            return (y.Span.ToArray(), dx.Span.ToArray());
        }
    }

    private readonly struct Bytes : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            float* lanes = stackalloc float[16], back = stackalloc float[16];
            for (int count = 1; count <= TVector.Lanes; count++)
            {
                using GuardedBytes before = new(count, Guard.Before), after = new(count, Guard.After);
                for (int value = 0; value < 256; value++)
                {
                    for (int lane = 0; lane < TVector.Lanes; lane++)
                        lanes[lane] = (value + (7 * lane)) & 255;

                    TVector.StoreBytes(before.Address, TVector.Load(lanes), count);
                    TVector.StoreBytes(after.Address, TVector.Load(lanes), count);
                    TVector sum = TVector.LoadBytes(before.Address, count) + TVector.LoadBytes(after.Address, count);
                    TVector.Store(back, sum);
                    for (int lane = 0; lane < TVector.Lanes; lane++)
                    {
                        bool right = lane < count
                            ? before.Address[lane] == (byte)lanes[lane] && after.Address[lane] == (byte)lanes[lane] && back[lane] == 2 * lanes[lane]
                            : back[lane] == 0;
                        if (!right)
                            return false;
                    }
                }
            }

            return true;
        }
    }
}
