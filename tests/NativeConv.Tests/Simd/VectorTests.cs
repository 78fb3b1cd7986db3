using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Simd;

/// <summary>Every member of <see cref="IVector{TSelf}"/> at every level against scalar arithmetic, lane by lane.</summary>
public sealed unsafe class VectorTests
{
    private static readonly float[] Specials =
    [
        0f, -0f, 1, -1, 0.1f, -2.5f, 3e7f, float.Epsilon, -float.Epsilon, 1.1754942e-38f, 1.17549435e-38f, float.MaxValue, float.MinValue,
        float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private static readonly Dictionary<string, Func<float, float, float, float>> Expected = new()
    {
        ["Zero"] = (_, _, _) => 0,
        ["Broadcast"] = (_, _, _) => 1.5f,
        ["+"] = (a, b, _) => a + b,
        ["-"] = (a, b, _) => a - b,
        ["*"] = (a, b, _) => a * b,
        ["/"] = (a, b, _) => a / b,
        ["MultiplyAdd"] = (a, b, c) => SimdLevels.HasFusedMultiplyAdd ? MathF.FusedMultiplyAdd(a, b, c) : (a * b) + c,
        ["Sqrt"] = (a, _, _) => MathF.Sqrt(a),
        ["Abs"] = (a, _, _) => MathF.Abs(a),
        ["CopySign"] = (a, b, _) => MathF.CopySign(a, b),
        ["LessThanOrEqual"] = (a, b, _) => Mask(a <= b),
        ["LessThan"] = (a, b, _) => Mask(a < b),
        ["EqualTo"] = (a, b, _) => Mask(a == b),
        ["Select"] = (a, b, c) => a < b ? c : a,
        ["SelectLessThanOrEqual"] = (a, b, c) => a <= b ? c : b,
        ["TakeGreater, best"] = (a, b, c) => Takes(a, b) ? b : a,
        ["TakeGreater, winner"] = (a, b, c) => Takes(a, b) ? b : c,
        ["And"] = (a, b, _) => BitConverter.UInt32BitsToSingle(Bits(a) & Bits(b)),
        ["Or"] = (a, b, _) => BitConverter.UInt32BitsToSingle(Bits(a) | Bits(b)),
    };

    public static TheoryData<SimdLevel> Levels => [.. SimdLevels.Callable];

    public static TheoryData<string, SimdLevel> MembersAtEveryLevel
    {
        get
        {
            var data = new TheoryData<string, SimdLevel>();
            foreach (SimdLevel level in SimdLevels.Callable)
            {
                foreach (string member in Expected.Keys)
                    data.Add(member, level);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(MembersAtEveryLevel))]
    public void Member_SpecialAndRandomValues_MatchesScalarArithmetic(string member, SimdLevel level)
    {
        // Every pair of special values, then numbers of all kinds.
        float[] random = TestData.Uniform(4096, seed: 1, low: -10, high: 10);
        float[] a = [.. Specials.SelectMany(value => Enumerable.Repeat(value, Specials.Length)), .. random];
        float[] b = [.. Specials.SelectMany(_ => Specials), .. TestData.Uniform(4096, seed: 2)];
        float[] c = [.. Specials.SelectMany(_ => Specials.Reverse()), .. TestData.Uniform(4096, seed: 3)];
        float[] actual = SimdLevels.Dispatch<Compute, float[]>(level, new(member, a, b, c));
        for (int i = 0; i < a.Length; i++)
            ShouldBeSame(actual[i], Expected[member](a[i], b[i], c[i]), $"{member}({a[i]:R}, {b[i]:R}, {c[i]:R})", IsMask(member));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Round_MagnitudesBelow2To22_TiesToEven(SimdLevel level)
    {
        float[] values =
        [
            0, -0f, 0.49999997f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, -2.5f, 3.5f, -0.2f, 4194303.5f, -4194303.5f, 4194302.5f, 1000000.25f,
            float.Epsilon,
            .. TestData.Uniform(4096, seed: 4, low: -4194304, high: 4194304), .. TestData.Uniform(4096, seed: 5, low: -3, high: 3),
        ];
        Unary("Round", level, values, value => MathF.Round(value, MidpointRounding.ToEven));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void PowerOfTwo_EveryExponent_IsExact(SimdLevel level) =>
        Unary("PowerOfTwo", level, [.. Enumerable.Range(-126, 254).Select(n => (float)n)], n => MathF.ScaleB(1, (int)n));

    [Theory]
    [MemberData(nameof(Levels))]
    public void ExponentAndSignificand_PositiveNormals_TakeThemApart(SimdLevel level)
    {
        float[] mantissas = [1, 1.9999999f, 1.5f, 1.0000001f];
        float[] values = [.. Enumerable.Range(-126, 254).SelectMany(n => mantissas.Select(m => MathF.ScaleB(m, n)))];
        Unary("Exponent", level, values, value => MathF.ILogB(value));
        Unary("Significand", level, values, value => MathF.ScaleB(value, -MathF.ILogB(value)));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void LoadAndStore_BetweenGuards_TouchExactlyAVector(SimdLevel level)
    {
        foreach (Guard guard in Enum.GetValues<Guard>())
            SimdLevels.Dispatch<CopyWhole, bool>(level, new(guard)).Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void LoadPartial_EveryCount_TouchesNoMoreAndZeroesTheRest(SimdLevel level)
    {
        foreach (Guard guard in Enum.GetValues<Guard>())
        {
            for (int count = 1; count <= Lanes(level); count++)
            {
                float[] loaded = SimdLevels.Dispatch<LoadFirst, float[]>(level, new(count, guard));
                IEnumerable<uint> expected = [.. Enumerable.Range(1, count).Select(i => Bits(i)), .. new uint[loaded.Length - count]];
                loaded.Select(Bits).Should().Equal(expected, "{0} floats, guard {1}", count, guard);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void StorePartial_EveryCount_TouchesNoMore(SimdLevel level)
    {
        for (int count = 1; count <= Lanes(level); count++)
        {
            float[] numbers = [.. Enumerable.Range(1, count).Select(i => (float)i)];
            foreach (Guard guard in Enum.GetValues<Guard>())
                SimdLevels.Dispatch<StoreFirst, float[]>(level, new(count, count, guard)).Should().Equal(numbers);

            // In accessible memory the floats beyond stay as they were.
            SimdLevels.Dispatch<StoreFirst, float[]>(level, new(count, count + 20, Guard.After))
                .Should().Equal([.. numbers, .. Enumerable.Repeat(-1f, 20)]);
        }
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void Permute_ReversedRotatedAndRepeatedLanes_PicksThem(SimdLevel level)
    {
        int lanes = Lanes(level);
        foreach (Func<int, int> pick in new Func<int, int>[] { i => lanes - 1 - i, i => (i + 1) % lanes, i => i / 2, _ => lanes - 1 })
        {
            int[] picked = [.. Enumerable.Range(0, lanes).Select(pick)];
            SimdLevels.Dispatch<PermuteLanes, float[]>(level, new(picked)).Should().Equal([.. picked.Select(lane => lane + 1f)]);
        }
    }

    private static void Unary(string member, SimdLevel level, float[] values, Func<float, float> expected)
    {
        float[] padded = [.. values, .. new float[(16 - (values.Length % 16)) % 16].Select(_ => 1f)];
        float[] actual = SimdLevels.Dispatch<Compute, float[]>(level, new(member, padded, padded, padded));
        for (int i = 0; i < padded.Length; i++)
            ShouldBeSame(actual[i], expected(padded[i]), $"{member}({padded[i]:R})", isMask: false);
    }

    private static void ShouldBeSame(float actual, float expected, string what, bool isMask)
    {
        // The payload of a NaN is nobody's promise, but a mask's bits are.
        if (Bits(actual) != Bits(expected) && (isMask || !float.IsNaN(actual) || !float.IsNaN(expected)))
            Assert.Fail($"{what} is {actual:R} (0x{Bits(actual):X8}), but should be {expected:R} (0x{Bits(expected):X8}).");
    }

    private static bool IsMask(string member) => member is "LessThanOrEqual" or "LessThan" or "EqualTo";

    private static int Lanes(SimdLevel level) => level == SimdLevel.Scalar ? 1 : (int)level / 32;

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static float Mask(bool set) => BitConverter.UInt32BitsToSingle(set ? ~0u : 0);

    /// <summary>Whether a value takes the place of the best: it is greater, or the first NaN.</summary>
    private static bool Takes(float best, float value) => value > best || (float.IsNaN(value) && !float.IsNaN(best));

    private readonly record struct Compute(string Member, float[] A, float[] B, float[] C) : ISimdWork<float[]>
    {
        public float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            Func<TVector, TVector, TVector, TVector> operation = Member switch
            {
                "Zero" => (_, _, _) => TVector.Zero,
                "Broadcast" => (_, _, _) => TVector.Broadcast(1.5f),
                "+" => (a, b, _) => a + b,
                "-" => (a, b, _) => a - b,
                "*" => (a, b, _) => a * b,
                "/" => (a, b, _) => a / b,
                "MultiplyAdd" => TVector.MultiplyAdd,
                "Sqrt" => (a, _, _) => TVector.Sqrt(a),
                "Abs" => (a, _, _) => TVector.Abs(a),
                "CopySign" => (a, b, _) => TVector.CopySign(a, b),
                "LessThanOrEqual" => (a, b, _) => TVector.LessThanOrEqual(a, b),
                "LessThan" => (a, b, _) => TVector.LessThan(a, b),
                "EqualTo" => (a, b, _) => TVector.EqualTo(a, b),
                "Select" => (a, b, c) => TVector.Select(TVector.LessThan(a, b), c, a),
                "SelectLessThanOrEqual" => (a, b, c) => TVector.SelectLessThanOrEqual(a, b, c, b),
                "TakeGreater, best" => (a, b, c) => TakeGreater(a, b, c).Best,
                "TakeGreater, winner" => (a, b, c) => TakeGreater(a, b, c).Winner,
                "And" => (a, b, _) => TVector.And(a, b),
                "Or" => (a, b, _) => TVector.Or(a, b),
                "Round" => (a, _, _) => TVector.Round(a),
                "PowerOfTwo" => (a, _, _) => TVector.PowerOfTwo(a),
                "Exponent" => (a, _, _) => TVector.Exponent(a),
                "Significand" => (a, _, _) => TVector.Significand(a),
                _ => throw new InvalidOperationException($"There is no member {Member}."),
            };
            var y = new float[A.Length];
            fixed (float* a = A, b = B, c = C, d = y)
            {
                for (int i = 0; i < y.Length; i += TVector.Lanes)
                    TVector.Store(d + i, operation(TVector.Load(a + i), TVector.Load(b + i), TVector.Load(c + i)));
            }

            return y;
        }

        private static (TVector Best, TVector Winner) TakeGreater<TVector>(TVector best, TVector value, TVector winner)
            where TVector : struct, IVector<TVector>
        {
            TVector.TakeGreater(ref best, ref winner, value, number: value);
            return (best, winner);
        }
    }

    private readonly record struct CopyWhole(Guard Guard) : ISimdWork<bool>
    {
        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            float[] numbers = TestData.Uniform(TVector.Lanes, seed: 6);
            using GuardedMemory source = new(numbers, Guard), copy = new(TVector.Lanes, Guard), aligned = new(TVector.Lanes, Guard.After);
            TVector.Store(copy.Pointer, TVector.Load(source.Pointer));
            TVector.StoreNonTemporal(aligned.Pointer, TVector.Load(source.Pointer));
            return copy.Span.SequenceEqual(numbers) && aligned.Span.SequenceEqual(numbers);
        }
    }

    private readonly record struct LoadFirst(int Count, Guard Guard) : ISimdWork<float[]>
    {
        public float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            using var source = new GuardedMemory([.. Enumerable.Range(1, Count).Select(i => (float)i)], Guard);
            var lanes = new float[TVector.Lanes];
            fixed (float* destination = lanes)
                TVector.Store(destination, TVector.LoadPartial(source.Pointer, Count));
            return lanes;
        }
    }

    private readonly record struct PermuteLanes(int[] Lanes) : ISimdWork<float[]>
    {
        public float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            float[] numbers = [.. Enumerable.Range(1, TVector.Lanes).Select(i => (float)i)], permuted = new float[TVector.Lanes];
            fixed (int* lanes = Lanes)
            fixed (float* source = numbers, destination = permuted)
                TVector.Store(destination, TVector.Permute(TVector.Load(source), lanes));
            return permuted;
        }
    }

    private readonly record struct StoreFirst(int Count, int Length, Guard Guard) : ISimdWork<float[]>
    {
        public float[] Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            using var destination = new GuardedMemory(Length, Guard);
            destination.Span.Fill(-1);
            float[] numbers = [.. Enumerable.Range(1, TVector.Lanes).Select(i => (float)i)];
            fixed (float* source = numbers)
                TVector.StorePartial(destination.Pointer, TVector.Load(source), Count);
            return destination.Span.ToArray();
        }
    }
}
