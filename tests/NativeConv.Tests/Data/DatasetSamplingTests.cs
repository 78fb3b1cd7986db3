using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class DatasetSamplingTests
{
    [Fact]
    public void SplitStratified_UnevenClasses_HoldsOutTheSamePartOfEach()
    {
        int[] labels = [.. Enumerable.Range(0, 200).Select(i => i < 150 ? 0 : i < 197 ? 1 : 3)];
        Dataset data = Numbered(labels);
        (Dataset training, Dataset validation) = data.SplitStratified(0.1, seed: 5);
        Count(validation).Should().Equal(15, 5, 0, 0);
        Count(training).Should().Equal(135, 42, 0, 3);
        int[] held = Numbers(validation), kept = Numbers(training);
        held.Should().BeInAscendingOrder();
        kept.Should().BeInAscendingOrder();
        held.Concat(kept).Should().BeEquivalentTo(Enumerable.Range(0, 200));
        held.Should().NotEqual(Enumerable.Range(0, 15).Concat(Enumerable.Range(150, 5)), "images are drawn, not taken from the front");
        Numbers(data.SplitStratified(0.1, seed: 5).Validation).Should().Equal(held);
        Numbers(data.SplitStratified(0.1, seed: 6).Validation).Should().NotEqual(held);
    }

    [Fact]
    public void SplitStratified_OtherClassesChange_DrawsTheSameOfAClass()
    {
        int[] labels = [.. Enumerable.Repeat(1, 50)];
        int[] alone = Numbers(Numbered(labels).SplitStratified(0.3, seed: 1).Validation);
        int[] mixed = Numbers(Numbered([.. labels, .. Enumerable.Repeat(0, 70)]).SplitStratified(0.3, seed: 1).Validation);
        mixed.Where(number => number < 50).Should().Equal(alone);
    }

    [Theory]
    [InlineData(0, 0, 40)]
    [InlineData(1, 40, 0)]
    public void SplitStratified_NoneOrAll_IsThat(double fraction, int held, int kept)
    {
        (Dataset training, Dataset validation) = Numbered([.. Enumerable.Range(0, 40).Select(i => i % 4)]).SplitStratified(fraction, seed: 1);
        (validation.Count, training.Count).Should().Be((held, kept));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void SplitStratified_NoFraction_NamesIt(double fraction)
    {
        Action split = () => Numbered([0]).SplitStratified(fraction, seed: 1);
        split.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("fraction");
    }

    [Fact]
    public void TakeClasses_InAnOrder_LabelsThemAnew()
    {
        Dataset data = Numbered([0, 3, 1, 3, 2, 0, 1, 3]);
        Dataset some = data.TakeClasses(3, 1);
        some.ClassNames.Should().Equal(data.ClassNames[3], data.ClassNames[1]);
        Numbers(some).Should().Equal(1, 2, 3, 6, 7);
        some.Labels.ToArray().Should().Equal(0, 1, 0, 1, 0);
        data.Labels.ToArray().Should().Equal(0, 3, 1, 3, 2, 0, 1, 3);
        Numbered([0, 0]).TakeClasses(2).Count.Should().Be(0);
    }

    [Theory]
    [InlineData(new int[0], "*at least one*")]
    [InlineData(new[] { 4 }, "*0 to 3*4*")]
    [InlineData(new[] { 1, -1 }, "*0 to 3*-1*")]
    [InlineData(new[] { 1, 2, 1 }, "*class 1 is given twice*")]
    public void TakeClasses_ThatThereAreNot_AreNamed(int[] classes, string message)
    {
        Action take = () => Numbered([0, 1]).TakeClasses(classes);
        take.Should().Throw<ArgumentException>().WithParameterName("classes").WithMessage(message);
    }

    [Fact]
    public void TakePerClass_FewerThanAsked_TakesAll()
    {
        Dataset data = Numbered([.. Enumerable.Range(0, 23).Select(i => i % 5 == 0 ? 0 : 1)]);
        Dataset few = data.TakePerClass(6, seed: 3);
        Count(few).Should().Equal(5, 6, 0, 0);
        Numbers(few).Should().BeInAscendingOrder().And.OnlyHaveUniqueItems();
        Numbers(data.TakePerClass(6, seed: 3)).Should().Equal(Numbers(few));
    }

    [Fact]
    public void Select_AnyOrder_CopiesFloatsAndBytes()
    {
        var shape = new ImageShape(1, 2, 1);
        float[] values = [1, 2, 3, 4, 5, 6];
        Dataset floats = Dataset.FromFloats(values, shape, (int[])[0, 1, 0], ["a", "b"]).Select([2, 0, 2]);
        values[4] = 9;
        float[] images = new float[6];
        floats.CopyImages([0, 1, 2], images);
        images.Should().Equal(5, 6, 1, 2, 5, 6);
        floats.Labels.ToArray().Should().Equal(0, 0, 0);
        Dataset.From((byte[])[1, 2, 3, 4], shape, (int[])[0, 1], ["a", "b"]).Select([1]).Pixels.ToArray().Should().Equal(3, 4);
        Action beyond = () => floats.Select([3]);
        beyond.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void MeanAndDeviation_BytesAndFloats_AreThoseOfAllValues()
    {
        var shape = new ImageShape(1, 2, 2);
        byte[] bytes = [0, 255, 255, 0, 0, 0, 0, 0];
        (double mean, double deviation) = Dataset.From(bytes, shape, (int[])[0, 0], ["a"]).MeanAndDeviation();
        mean.Should().Be(63.75);
        deviation.Should().BeApproximately(255 * Math.Sqrt(0.1875), 1e-12);
        float[] far = [.. bytes.Select(value => 1e7f + value)];
        (mean, deviation) = Dataset.FromFloats(far, shape, (int[])[0, 0], ["a"]).MeanAndDeviation();
        mean.Should().Be(1e7 + 63.75);
        deviation.Should().BeApproximately(255 * Math.Sqrt(0.1875), 1e-9);
        Dataset.From(ReadOnlyMemory<byte>.Empty, shape, ReadOnlyMemory<int>.Empty, ["a"]).MeanAndDeviation().Should().Be((0, 0));
    }

    /// <summary>Images of one pixel each that holds the image's number, in four classes.</summary>
    private static Dataset Numbered(int[] labels) =>
        Dataset.From(Enumerable.Range(0, labels.Length).Select(i => (byte)i).ToArray(), new(1, 1, 1), labels, ["a", "b", "c", "d"]);

    private static int[] Numbers(Dataset data) => [.. data.Pixels.ToArray().Select(value => (int)value)];

    private static int[] Count(Dataset data) => [.. Enumerable.Range(0, 4).Select(c => data.Labels.ToArray().Count(label => label == c))];
}
