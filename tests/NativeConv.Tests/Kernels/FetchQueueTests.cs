using FluentAssertions;
using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Kernels;

/// <summary>What tiles ask for while they compute: every line of every stretch, in order; and that asking changes no bit.</summary>
public sealed unsafe class FetchQueueTests
{
    /// <summary>Tiles of so many turns of a loop, and stretches of so many floats.</summary>
    [Theory]
    [InlineData(40, 64, new[] { 4096, 512 })]
    [InlineData(14, 24, new[] { 100, 1, 333 })]
    [InlineData(1000, 3, new[] { 16 * 900 })]
    public void Tiles_EnoughTurns_AskForEveryLineInOrder(int tiles, int turns, int[] floats)
    {
        byte*[] starts = [(byte*)0x10000, (byte*)0x900000, (byte*)0x500000];
        FetchQueue queue = default;
        for (int i = 0; i < floats.Length; i++)
            queue.Add((float*)starts[i], floats[i]);

        queue.Spread((long)tiles * turns);
        var asked = new List<(int Stretch, long Line)>();
        for (int tile = 0; tile < tiles; tile++)
        {
            byte* next = null;
            nint step = queue.Take(ref next);
            if (step == 0)
            {
                (next == null).Should().BeTrue("nothing is left");
                continue;
            }

            int stretch = -1;
            for (int i = 0; i < floats.Length; i++)
            {
                if (next >= starts[i] && next < starts[i] + (floats[i] * sizeof(float)))
                    stretch = i;
            }

            for (int turn = 0; turn < turns; turn++, next += step)
                asked.Add((stretch, (next - starts[stretch]) / 64));

            queue.Put(next, step);
        }

        for (int i = 0; i < floats.Length; i++)
            asked.Should().Contain(Enumerable.Range(0, ((floats[i] * sizeof(float)) + 63) / 64).Select(line => (i, (long)line)));

        asked.Select(request => request.Stretch).Should().BeInAscendingOrder();
        asked.Count.Should().BeLessThanOrEqualTo(tiles * turns * 9 / 10, "the last requests would come too late");
    }

    [Fact]
    public void Take_NothingAdded_LeavesTheAddressAlone()
    {
        FetchQueue queue = default;
        queue.Spread(10);
        byte* next = (byte*)0x40;
        queue.Take(ref next).Should().Be(0);
        (next == (byte*)0x40).Should().BeTrue();
        queue.Add((float*)0x1000, 64);
        queue.Add((float*)0x2000, 0);
        queue.Clear();
        queue.Take(ref next).Should().Be(0, "it was cleared");
    }

    [Fact]
    public void Spread_FewerTurnsThanLines_IsALineATurn()
    {
        FetchQueue queue = default;
        queue.Add((float*)0x1000, 1000);
        queue.Spread(2);
        byte* next = null;
        queue.Take(ref next).Should().Be(64);
    }

    /// <summary>A loop that goes on with a queue has what is left of it to ask for.</summary>
    [Fact]
    public void Spread_Again_SpreadsWhatIsLeft()
    {
        FetchQueue queue = default;
        queue.Add((float*)0x10000, 1600);
        queue.Add((float*)0x20000, 1600);
        queue.Spread(turns: 1);
        byte* next = null;
        nint step = queue.Take(ref next);
        queue.Put(next + 3200, step);
        queue.Spread(turns: 1000);
        queue.Take(ref next).Should().Be((3 * 9600 / 2000) + 1, "half of the first and the second are left");
    }

    [Fact]
    public void Spread_NoTurns_IsNoError()
    {
        FetchQueue queue = default;
        queue.Add((float*)0x10000, 16);
        queue.Spread(turns: 0);
        byte* next = null;
        queue.Take(ref next).Should().Be(64);
    }

    [Fact]
    public void Add_TooMany_LeavesTheRestOut()
    {
        FetchQueue queue = default;
        for (int i = 1; i <= 20; i++)
            queue.Add((float*)(0x10000 * (nint)i), 16);

        queue.Spread(1);
        var starts = new List<nint>();
        byte* next = null;
        while (queue.Take(ref next) is > 0 and var step)
        {
            starts.Add((nint)next);
            queue.Put(next + step, step);
        }

        starts.Should().HaveCountGreaterThan(4).And.HaveCountLessThan(20).And.OnlyHaveUniqueItems().And.BeInAscendingOrder();
        starts[0].Should().Be(0x10000);
    }

    public static TheoryData<int, int, int, int> Shapes => new()
    {
        { 28, 29, 64, 24 },
        { 19, 23, 17, 130 },
        { 37, 31, 33, 40 },
        { 30, 28, 130, 16 },
        { 31, 30, 20, 5 },
    };

    /// <summary>A batch of pixels that outgrows the caches, which is asked for meanwhile, on guarded memory: the bits of images one by one, which are not.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void WeightGradient_LargeBatch_GivesTheBitsOfSmallCalls(int height, int width, int inputs, int outputs)
    {
        foreach (SimdLevel level in SimdLevels.Callable)
        {
            foreach (Guard guard in (Guard[])[Guard.Before, Guard.After])
                SimdLevels.Dispatch<Work, bool>(level, new(height, width, inputs, outputs, guard)).Should().BeTrue("at {0}", level);
        }
    }

    private readonly record struct Work(int Height, int Width, int Inputs, int Outputs, Guard Guard) : ISimdWork<bool>
    {
        private const int Images = 6;

        public bool Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            var geometry = new Conv2DGeometry(Height, Width, 1, 1, 1, Padding.Valid);
            int input = geometry.InputPixels * Inputs, output = geometry.OutputPixels * Outputs;
            (Images * (input + output) * sizeof(float)).Should().BeGreaterThan(ConvolutionWeightGradient.FetchedBytes);
            ((input + output) * sizeof(float)).Should().BeLessThan(ConvolutionWeightGradient.FetchedBytes);
            var algorithm = new ConvolutionWeightGradient(geometry, Inputs, Outputs, groups: 1);
            using var x = new GuardedMemory(TestData.Uniform(Images * input, 1), Guard);
            using var dy = new GuardedMemory(TestData.Uniform(Images * output, 2), Guard);
            using var scratch = new GuardedMemory(Math.Max(1, algorithm.ScratchLength<TVector>()), Guard);
            using var large = new GuardedMemory(Inputs * Outputs, Guard);
            using var small = new GuardedMemory(Inputs * Outputs, Guard);
            large.Span.Clear();
            small.Span.Clear();
            algorithm.Run<TVector>(x.Pointer, dy.Pointer, large.Pointer, scratch.Pointer, Images, Share.All, begins: false);
            for (int image = 0; image < Images; image++)
                algorithm.Run<TVector>(x.Pointer + ((nint)image * input), dy.Pointer + ((nint)image * output), small.Pointer, scratch.Pointer, 1, Share.All, begins: false);

            return large.Span.SequenceEqual(small.Span) && large.Span.ContainsAnyExcept(0);
        }
    }
}
