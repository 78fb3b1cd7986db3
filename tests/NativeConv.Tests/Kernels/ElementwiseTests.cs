using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>What works value by value: every length from 0 to 256 between guard pages, special values, every width.</summary>
public sealed unsafe class ElementwiseTests
{
    private const int Longest = 256;

    public static TheoryData<SimdLevel> Levels => [.. SimdLevels.Callable];

    public static TheoryData<Activation, SimdLevel> ActivationsAtEveryLevel
    {
        get
        {
            var data = new TheoryData<Activation, SimdLevel>();
            foreach (Activation function in Enum.GetValues<Activation>())
            {
                foreach (SimdLevel level in SimdLevels.Callable)
                    data.Add(function, level);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Arithmetic_EveryLength_IsExactAndStaysInside(SimdLevel level)
    {
        for (int length = 1; length <= Longest; length++)
        {
            float[] a = TestData.Uniform(length, 1), b = TestData.Uniform(length, 2), y = TestData.Uniform(length, 3);
            Run(level, a, b, y, new Add()).Should().Equal(a.Zip(b, (x, z) => x + z));
            Run(level, a, b, y, new Product()).Should().Equal(a.Zip(b, (x, z) => x * z));
            Run(level, a, b, y, new Accumulate()).Should().Equal(a.Zip(y, (x, z) => x + z));
            if (SimdLevels.HasFusedMultiplyAdd)
            {
                Run(level, a, b, y, new ProductSum()).Should().Equal(a.Select((x, i) => MathF.FusedMultiplyAdd(x, b[i], y[i])));
                Run(level, a, b, y, new Scale()).Should().Equal(a.Select(x => MathF.FusedMultiplyAdd(x, 1.7f, -0.3f)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(ActivationsAtEveryLevel))]
    public void Activation_EveryLength_GivesTheScalarLevelsBits(Activation function, SimdLevel level)
    {
        for (int length = 1; length <= Longest; length++)
        {
            float[] x = TestData.Uniform(length, 1, -8, 8), dy = TestData.Uniform(length, 2);
            float[] y = new float[length], expected = new float[length];
            NativeConv.Activations.Forward(function, x, y, On(level));
            NativeConv.Activations.Forward(function, x, expected, On(SimdLevel.Scalar));
            y.AsSpan().SequenceEqual(expected).Should().BeTrue();
            NativeConv.Activations.Backward(function, x, dy, y, On(level));
            NativeConv.Activations.Backward(function, x, dy, expected, On(SimdLevel.Scalar));
            y.AsSpan().SequenceEqual(expected).Should().BeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(ActivationsAtEveryLevel))]
    public void Activation_SampledRange_IsWithinAFewUnitsOfTheOracle(Activation function, SimdLevel level)
    {
        float[] x = [.. Enumerable.Range(-4000, 8001).Select(i => i * 0.00375f), .. Enumerable.Range(1, 400).SelectMany(i => (float[])[1e-6f * i * i, -1e-6f * i * i])];
        float[] y = new float[x.Length];
        NativeConv.Activations.Forward(function, x, y, On(level));
        string name = function switch
        {
            Activation.LeakyReLU => "leaky_relu",
            Activation.HardSwish => "hard_swish",
            Activation.HardSigmoid => "hard_sigmoid",
            _ => function.ToString().ToLowerInvariant(),
        };
        for (int i = 0; i < x.Length; i++)
        {
            // A tail that differs from 0 by less than the largest value's rounding is as good as right.
            double expected = function == Activation.Elu && x[i] < 0 ? double.Exp(x[i]) - 1 : LayerOracle.Activation(name, x[i]);
            Math.Abs(y[i] - expected).Should().BeLessThanOrEqualTo((6e-7 * Math.Abs(expected)) + 1e-8, "{0}({1}) should be {2}", function, x[i], expected);
        }
    }

    [Theory]
    [MemberData(nameof(ActivationsAtEveryLevel))]
    public void Activation_SpecialValues_FlowThrough(Activation function, SimdLevel level)
    {
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e-45f, 1e30f, -1e30f], y = new float[x.Length];
        NativeConv.Activations.Forward(function, x, y, On(level));
        y[0].Should().Be(float.NaN);
        float high = function switch
        {
            Activation.ReLU6 => 6,
            Activation.Sigmoid or Activation.Tanh or Activation.HardSigmoid => 1,
            _ => float.PositiveInfinity,
        };
        y[1].Should().Be(high);
        y[6].Should().Be(float.IsInfinity(high) ? 1e30f : high);
        if (function is Activation.Sigmoid or Activation.HardSigmoid)
            y[3].Should().Be(0.5f);
        else
            y[3].Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(ActivationsAtEveryLevel))]
    public void Activation_AtItsCorners_HasTheSlopeThatIsPromised(Activation function, SimdLevel level)
    {
        // Where two pieces meet: the point, and the slope there.
        (float X, float Slope)[] corners = function switch
        {
            Activation.ReLU => [(0, 0), (-0f, 0), (1e-45f, 1), (-1e-45f, 0)],
            Activation.ReLU6 => [(0, 0), (-0f, 0), (6, 0), (MathF.BitDecrement(6), 1), (1e-45f, 1)],
            Activation.LeakyReLU => [(0, 0.01f), (-0f, 0.01f), (1e-45f, 1), (-1, 0.01f)],
            Activation.Elu => [(0, 1), (-0f, 1), (1e-45f, 1)],
            Activation.HardSigmoid => [(-3, 0), (3, 0), (0, 1 / 6f), (-2.5f, 1 / 6f)],
            Activation.HardSwish => [(-3, -0.5f), (3, 1.5f), (0, 0.5f), (-3.5f, 0), (3.5f, 1)],
            Activation.Sigmoid => [(0, 0.25f)],
            Activation.Tanh or Activation.Linear => [(0, 1)],
            _ => [(0, 0.5f)],
        };
        float[] x = [.. corners.Select(corner => corner.X)], dy = [.. corners.Select(_ => 2f)], dx = new float[x.Length];
        NativeConv.Activations.Backward(function, x, dy, dx, On(level));
        for (int i = 0; i < x.Length; i++)
            dx[i].Should().BeApproximately(2 * corners[i].Slope, 1e-6f, "{0}({1}) has that slope", function, x[i]);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Softmax_ExtremeLogits_IsFiniteAndAddsUpToOne(SimdLevel level)
    {
        for (int classes = 1; classes <= 130; classes++)
        {
            float[] logits = TestData.Uniform(classes, (ulong)classes, -1.5e38f, 1.5e38f), probabilities = new float[classes];
            NativeConv.Activations.Softmax(logits, classes, probabilities, On(level));
            probabilities.Sum().Should().BeApproximately(1, 1e-5f);
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Dropout_AnyRange_DropsTheSameValuesAtTheRate(SimdLevel level)
    {
        const int Count = 20_000;
        float[] ones = [.. Enumerable.Repeat(1f, Count)], all = new float[Count], parts = new float[Count];
        Drop(level, ones, all, 0, Count);
        for (int first = 0; first < Count; first += 777)
            Drop(level, ones, parts, first, Math.Min(777, Count - first));

        parts.Should().Equal(all);
        all.Distinct().Order().Should().Equal(0, 1 / (1 - 0.3f));
        all.Average().Should().BeApproximately(1, 0.02f);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void BatchStatistics_MeanOfAThousandDeviations_KeepTheVariance(SimdLevel level)
    {
        // Channels in fours of vectors, single vectors and parts of one.
        const int Pixels = 5000, Channels = 64 + 16 + 3;
        float[] x = [.. TestData.Uniform(Pixels * Channels, 3).Select(value => 1000 + value)];
        float[] gamma = [.. Enumerable.Repeat(1f, Channels)], beta = new float[Channels], mean = new float[Channels], variance = new float[Channels];
        Normalization.Forward(Channels, x, gamma, beta, 1e-5f, new float[x.Length], mean, variance, On(level));
        (double[] means, double[] variances) = LayerOracle.Moments(TestData.ToDouble(x), Channels);
        for (int c = 0; c < Channels; c++)
        {
            mean[c].Should().BeApproximately((float)means[c], 1e-3f);
            (variance[c] / variances[c]).Should().BeApproximately(1, 1e-4);
        }
    }

    private static ExecutionOptions On(SimdLevel level) => new() { Level = level, ThreadCount = 1 };

    private static void Drop(SimdLevel level, float[] x, float[] y, int first, int count)
    {
        fixed (float* from = x, to = y)
            SimdLevels.Dispatch<DropWork, int>(level, new(from + first, to + first, first, count));
    }

    private static float[] Run<TBody>(SimdLevel level, float[] a, float[] b, float[] y, TBody body)
        where TBody : struct, IBody
    {
        using GuardedMemory left = new(a, Guard.After), right = new(b, Guard.After), result = new(y, Guard.After);
        SimdLevels.Dispatch<BodyWork<TBody>, int>(level, new(left.Pointer, right.Pointer, result.Pointer, a.Length, body));
        return result.Span.ToArray();
    }

    private interface IBody
    {
        void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector>;
    }

    private readonly struct Add : IBody
    {
        public void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.Add<TVector>(a, b, y, count);
    }

    private readonly struct Product : IBody
    {
        public void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.Multiply<TVector>(a, b, y, count);
    }

    private readonly struct Accumulate : IBody
    {
        public void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.AddTo<TVector>(a, y, count);
    }

    private readonly struct ProductSum : IBody
    {
        public void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.MultiplyAddTo<TVector>(a, b, y, count);
    }

    private readonly struct Scale : IBody
    {
        public void Run<TVector>(float* a, float* b, float* y, nint count)
            where TVector : struct, IVector<TVector> => ElementwiseKernel.MultiplyAdd<TVector>(a, 1.7f, -0.3f, y, count);
    }

    private readonly struct BodyWork<TBody>(float* a, float* b, float* y, int count, TBody body) : ISimdWork<int>
        where TBody : struct, IBody
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            body.Run<TVector>(a, b, y, count);
            return count;
        }
    }

    private readonly struct DropWork(float* x, float* y, int first, int count) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            DropoutKernel.Run<TVector>(x, y, (ulong)first, count, 0.3f, seed: 5, stream: 9);
            return count;
        }
    }
}
