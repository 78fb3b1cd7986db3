using FluentAssertions;
using NativeConv.Random;
using Xunit;

namespace NativeConv.Tests.Random;

public sealed class RandomStreamTests
{
    private const ulong Seed = 0x0123456789ABCDEF;

    [Fact]
    public void NextUInt32_InOrder_ReadsTheBlocks()
    {
        RandomStream stream = new(Seed, StreamPurpose.Dropout, index: 0x00AB_CDEF_0123_4567);
        var words = Enumerable.Range(0, 3).SelectMany(block =>
        {
            var (w0, w1, w2, w3) = Philox.Block((uint)block, 0, 0x01234567, 0x03ABCDEF, 0x89ABCDEF, 0x01234567);
            return new[] { w0, w1, w2, w3 };
        });
        Draw(ref stream, 12).Should().Equal(words);
        stream.Position.Should().Be(12);
    }

    [Fact]
    public void Position_Set_ContinuesThere()
    {
        RandomStream stream = new(Seed, StreamPurpose.Shuffle);
        uint[] all = Draw(ref stream, 40);
        for (int start = 0; start < 40; start++)
        {
            RandomStream other = new(Seed, StreamPurpose.Shuffle) { Position = (ulong)start };
            Draw(ref other, 40 - start).Should().Equal(all[start..]);
        }
    }

    [Fact]
    public void Position_Beyond32BitsOfBlocks_ReadsAnotherBlock()
    {
        RandomStream near = new(Seed, StreamPurpose.Shuffle), far = new(Seed, StreamPurpose.Shuffle) { Position = 4UL << 32 };
        Draw(ref far, 4).Should().NotEqual(Draw(ref near, 4));
    }

    [Fact]
    public void Streams_OfOtherSeedsPurposesAndIndexes_Differ()
    {
        RandomStream[] streams =
        [
            new(Seed, StreamPurpose.Shuffle), new(Seed + 1, StreamPurpose.Shuffle), new(Seed + (1UL << 32), StreamPurpose.Shuffle),
            new(Seed, StreamPurpose.Dropout), new(Seed, StreamPurpose.Shuffle, 1), new(Seed, StreamPurpose.Shuffle, 1UL << 32),
        ];
        streams.Select(stream => Draw(ref stream, 4)).DistinctBy(words => string.Join(' ', words)).Should().HaveCount(streams.Length);
    }

    [Fact]
    public void NextSingle_ManyDraws_AreUniformBelowOne()
    {
        RandomStream stream = new(Seed, StreamPurpose.Initializer);
        float[] draws = [.. Enumerable.Range(0, 100_000).Select(_ => stream.NextSingle())];
        draws.Should().OnlyContain(value => value >= 0 && value < 1);

        // A mean's deviation is 1/sqrt(12 n) = 0.0009, a tenth's share's is 0.00095: five of them.
        draws.Average().Should().BeApproximately(0.5f, 0.005f);
        Enumerable.Range(0, 10).Select(tenth => draws.Count(value => (int)(value * 10) == tenth) / 100_000.0)
            .Should().OnlyContain(share => Math.Abs(share - 0.1) < 0.005);
    }

    [Fact]
    public void NextDouble_ManyDraws_UseAll53Bits()
    {
        RandomStream stream = new(Seed, StreamPurpose.Initializer);
        ulong seen = 0;
        double sum = 0;
        for (int i = 0; i < 100_000; i++)
        {
            double value = stream.NextDouble();
            (value >= 0 && value < 1).Should().BeTrue();
            seen |= (ulong)(value * (1UL << 53));
            sum += value;
        }

        seen.Should().Be((1UL << 53) - 1);
        (sum / 100_000).Should().BeApproximately(0.5, 0.005);
        stream.Position.Should().Be(200_000);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    [InlineData(7u)]
    [InlineData(10u)]
    public void NextBelow_SmallBound_IsUniform(uint bound)
    {
        RandomStream stream = new(Seed, StreamPurpose.Shuffle);
        const int Draws = 70_000;
        var counts = new int[bound];
        for (int i = 0; i < Draws; i++)
            counts[stream.NextBelow(bound)]++;
        double expected = (double)Draws / bound;
        counts.Should().OnlyContain(count => Math.Abs(count - expected) < 5 * Math.Sqrt(expected) + 1);
    }

    /// <summary>Of a bound of three quarters of 2^32, a plain multiplication would draw every third number twice as often.</summary>
    [Fact]
    public void NextBelow_LargeBound_RejectsTheSurplus()
    {
        const uint Bound = 3u << 30;
        RandomStream stream = new(Seed, StreamPurpose.Shuffle);
        uint[] draws = [.. Enumerable.Range(0, 60_000).Select(_ => stream.NextBelow(Bound))];
        draws.Should().OnlyContain(value => value < Bound);
        Enumerable.Range(0, 3).Select(rest => draws.Count(value => value % 3 == rest))
            .Should().OnlyContain(count => Math.Abs(count - 20_000) < 700);
    }

    private static uint[] Draw(ref RandomStream stream, int count)
    {
        var words = new uint[count];
        for (int i = 0; i < count; i++)
            words[i] = stream.NextUInt32();
        return words;
    }
}
