using FluentAssertions;
using NativeConv.Data;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class AugmentationTests
{
    private static readonly ImageShape Shape = new(7, 5, 2);

    private static readonly Augmentation Everything =
        new() { Shift = 2, Rotation = 20, Scale = 0.2f, Shear = 0.2f, Elastic = 1.5f, ElasticSpacing = 3, CutOut = 3, Probability = 0.8f, Fill = -7 };

    [Fact]
    public void Apply_NoRanges_ChangesNothing()
    {
        float[] image = TestData.Uniform(Shape.Length, 1), result = new float[image.Length];
        for (int index = 0; index < 20; index++)
        {
            new Augmentation().Apply(image, Shape, result, seed: 1, epoch: 0, index);
            result.Should().Equal(image);
        }
    }

    [Fact]
    public void Apply_SameNumbers_GivesTheSameBitsAndOthersDoNot()
    {
        float[] image = TestData.Uniform(Shape.Length, 1, 0, 255);
        float[] result(ulong seed, int epoch, int index)
        {
            float[] to = new float[image.Length];
            (Everything with { Probability = 1 }).Apply(image, Shape, to, seed, epoch, index);
            return to;
        }

        float[] first = result(1, 2, 3);
        first.Should().NotEqual(image).And.Equal(result(1, 2, 3));
        first.Should().NotEqual(result(2, 2, 3)).And.NotEqual(result(1, 3, 3)).And.NotEqual(result(1, 2, 4));
    }

    /// <summary>Fixed bits: what an augmentation draws and computes is part of what a seed means.</summary>
    [Fact]
    public void Apply_Everything_GivesTheBitsItAlwaysGave()
    {
        float[] image = [.. Enumerable.Range(0, Shape.Length).Select(i => (float)(i * 37 % 256))], result = new float[image.Length];
        uint hash = 2166136261;
        for (int index = 0; index < 100; index++)
        {
            Everything.Apply(image, Shape, result, seed: 42, epoch: index / 10, index);
            foreach (float value in result)
                hash = (hash ^ BitConverter.SingleToUInt32Bits(value)) * 16777619;
        }

        hash.Should().Be(3508144386u);
    }

    [Fact]
    public void Warp_WholeShift_MovesPixelsExactly()
    {
        var shape = new ImageShape(4, 5, 2);
        float[] image = TestData.Integers(shape.Length, 2, 100), result = new float[image.Length];
        new Augmenter(new() { Fill = 9 }, shape).Warp(image, result, angle: 0, scale: 1, shear: 0, down: 2, right: -1);
        for (int row = 0; row < 4; row++)
        {
            for (int column = 0; column < 5; column++)
            {
                for (int c = 0; c < 2; c++)
                    result[(((row * 5) + column) * 2) + c].Should().Be(row < 2 || column > 3 ? 9 : image[((((row - 2) * 5) + column + 1) * 2) + c]);
            }
        }
    }

    [Fact]
    public void Warp_HalfPixel_AveragesNeighboursAndTheFill()
    {
        var shape = new ImageShape(1, 3, 1);
        float[] result = new float[3];
        new Augmenter(new() { Fill = 100 }, shape).Warp([2, 4, 10], result, angle: 0, scale: 1, shear: 0, down: 0, right: 0.5f);
        result.Should().Equal(51, 3, 7);
    }

    [Fact]
    public void Warp_PlaceThatIsRoundedOntoTheEdge_IsFill()
    {
        var shape = new ImageShape(32, 1, 1);
        float[] image = TestData.Uniform(32, 1), result = new float[32];
        new Augmenter(new() { Fill = 9 }, shape).Warp(image, result, angle: 0, scale: 1, shear: 0, down: -(1 - (1f / (1 << 19))), right: 0);
        result[31].Should().Be(9);
        result[30].Should().BeApproximately(image[31], 1e-4f);
    }

    [Fact]
    public void Warp_QuarterTurn_TurnsClockwise()
    {
        var shape = new ImageShape(3, 3, 1);
        float[] result = new float[9];
        new Augmenter(new(), shape).Warp([1, 2, 3, 4, 5, 6, 7, 8, 9], result, angle: Math.PI / 2, scale: 1, shear: 0, down: 0, right: 0);
        result.Select(value => MathF.Round(value)).Should().Equal(7, 4, 1, 8, 5, 2, 9, 6, 3);
    }

    [Fact]
    public void Warp_TwiceTheSize_SpreadsFromTheMiddle()
    {
        var shape = new ImageShape(3, 3, 1);
        float[] result = new float[9];
        new Augmenter(new(), shape).Warp([0, 0, 0, 0, 8, 4, 0, 0, 0], result, angle: 0, scale: 2, shear: 0, down: 0, right: 0);
        result.Should().Equal(2, 4, 3, 4, 8, 6, 2, 4, 3);
    }

    [Fact]
    public void Warp_Shear_SlidesRowsByTheirDistance()
    {
        var shape = new ImageShape(3, 4, 1);
        float[] result = new float[12];
        new Augmenter(new(), shape).Warp([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], result, angle: 0, scale: 1, shear: 1, down: 0, right: 0);
        result.Should().Equal(2, 3, 4, 0, 5, 6, 7, 8, 0, 9, 10, 11);
    }

    [Fact]
    public void Warp_FarAway_IsAllFill()
    {
        float[] image = TestData.Uniform(Shape.Length, 1), result = new float[image.Length];
        new Augmenter(new() { Fill = 3 }, Shape).Warp(image, result, angle: 1, scale: 1e-9f, shear: 0, down: 65536, right: -65536);
        result.Should().OnlyContain(value => value == 3);
    }

    [Fact]
    public void Apply_Elastic_MovesNothingFurtherThanItsRange()
    {
        // On a ramp, a pixel's value tells where it came from.
        var shape = new ImageShape(20, 20, 1);
        float[] ramp = [.. Enumerable.Range(0, 400).Select(i => (float)((i % 20) + (100 * (i / 20))))], result = new float[400];
        var elastic = new Augmentation { Elastic = 2, ElasticSpacing = 5, Fill = float.MaxValue };
        double largest = 0;
        for (int index = 0; index < 20; index++)
        {
            elastic.Apply(ramp, shape, result, seed: 1, epoch: 0, index);
            for (int i = 0; i < 400; i++)
            {
                if (i / 20 is >= 3 and < 17 && i % 20 is >= 3 and < 17)
                    largest = Math.Max(largest, Math.Abs(result[i] - ramp[i]));
            }
        }

        largest.Should().BeInRange(50, 202, "rows are 100 apart, columns 1");
    }

    [Fact]
    public void Apply_CutOut_FillsOneSquare()
    {
        float[] image = Enumerable.Repeat(1f, Shape.Length).ToArray(), result = new float[image.Length];
        var counts = new HashSet<int>();
        for (int index = 0; index < 200; index++)
        {
            new Augmentation { CutOut = 3, Fill = 5 }.Apply(image, Shape, result, seed: 1, epoch: 0, index);
            result.Should().OnlyContain(value => value == 1 || value == 5);
            counts.Add(result.Count(value => value == 5) / 2);
        }

        counts.Should().BeEquivalentTo([4, 6, 9], "a square of three reaches at most one pixel beyond the edge");
    }

    [Fact]
    public void Apply_Probability_LeavesTheOtherPartAlone()
    {
        float[] image = TestData.Uniform(Shape.Length, 1), result = new float[image.Length];
        int changed = 0;
        for (int index = 0; index < 1000; index++)
        {
            new Augmentation { Shift = 3, Probability = 0.25f }.Apply(image, Shape, result, seed: 1, epoch: 0, index);
            changed += result.SequenceEqual(image) ? 0 : 1;
        }

        changed.Should().BeInRange(200, 300);
    }

    [Fact]
    public void Apply_AnotherRange_LeavesDrawsOfTheOthersAlone()
    {
        // Of a uniform image only cut-outs show, wherever they are.
        float[] image = Enumerable.Repeat(1f, Shape.Length).ToArray(), cut = new float[image.Length], both = new float[image.Length];
        new Augmentation { CutOut = 2, Fill = 1 + 1e-3f }.Apply(image, Shape, cut, seed: 1, epoch: 0, index: 5);
        new Augmentation { CutOut = 2, Rotation = 90, Fill = 1 + 1e-3f }.Apply(image, Shape, both, seed: 1, epoch: 0, index: 5);
        for (int i = 0; i < cut.Length; i++)
        {
            if (cut[i] != 1)
                both[i].Should().Be(cut[i]);
        }
    }

    [Fact]
    public void Apply_Bytes_AreTheRoundedFloats()
    {
        byte[] image = [.. Enumerable.Range(0, Shape.Length).Select(i => (byte)(i * 37))], result = new byte[image.Length];
        float[] floats = [.. image.Select(value => (float)value)], expected = new float[image.Length];
        Augmentation augmentation = Everything with { Fill = 300 };
        augmentation.Apply(image, Shape, result, seed: 2, epoch: 1, index: 7);
        augmentation.Apply(floats, Shape, expected, seed: 2, epoch: 1, index: 7);
        result.Should().Equal(expected.Select(value => (byte)(Math.Min(value, 255) + 0.5f)));
    }

    [Fact]
    public void Augmentation_BadNumbers_AreNamed()
    {
        ((Action)(() => _ = new Augmentation { Shift = -1 })).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("Shift");
        ((Action)(() => _ = new Augmentation { Scale = 1 })).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("Scale");
        ((Action)(() => _ = new Augmentation { Rotation = float.NaN })).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("Rotation");
        ((Action)(() => _ = new Augmentation { Fill = float.PositiveInfinity })).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("Fill");
        ((Action)(() => new Augmentation().Apply(new float[3], new(2, 2, 1), new float[4], 0, 0, 0))).Should().Throw<ArgumentException>().WithMessage("*2x2x1 holds 4*3 were given*");
        ((Action)(() => new Augmentation().Apply(new float[4], new(2, 2, 1), new float[5], 0, 0, 0))).Should().Throw<ArgumentException>().WithParameterName("destination");
        ((Action)(() => new Augmentation().Apply(new float[4], new(2, 2, 1), new float[4], 0, -1, 0))).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("epoch");
    }
}
