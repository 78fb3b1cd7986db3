using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class DatasetTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    [Fact]
    public void CopyImages_Indices_WidensBytesInTheirOrder()
    {
        Dataset data = Six();
        float[] images = new float[4];
        data.CopyImages([5, 1], images);
        images.Should().Equal(10, 11, 2, 3);
        int[] labels = new int[2];
        data.CopyLabels([5, 1], labels);
        labels.Should().Equal(2, 1);
    }

    [Fact]
    public void SplitLast_Count_SharesNothing()
    {
        (Dataset train, Dataset held) = Six().SplitLast(2);
        (train.Count, held.Count).Should().Be((4, 2));
        held.Pixels.ToArray().Should().Equal(8, 9, 10, 11);
    }

    [Fact]
    public void From_WrongLabelOrLength_IsRefused()
    {
        Action label = () => Dataset.From(new byte[4], new(1, 2, 1), new[] { 0, 3 }, Names);
        label.Should().Throw<ArgumentException>().WithMessage("*0 to 2*label 1 is 3*");
        Action length = () => Dataset.From(new byte[5], new(1, 2, 1), new[] { 0, 1 }, Names);
        length.Should().Throw<ArgumentException>().WithMessage("*4 values, but 5*");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 3)]
    [InlineData(128, 128)]
    public void ShuffledBatches_EveryEpoch_SeesEveryImageOnce(int count, int batch)
    {
        var batches = new ShuffledBatches(count, batch, seed: 3);
        int[] first = All(batches);
        first.Order().Should().Equal(Enumerable.Range(0, count));
        batches.StartEpoch(1);
        int[] second = All(batches);
        second.Order().Should().Equal(Enumerable.Range(0, count));
        if (count > 5)
            second.Should().NotEqual(first);

        batches.StartEpoch(0);
        All(batches).Should().Equal(first);
        static int[] All(ShuffledBatches batches) => [.. Enumerable.Range(0, batches.Count).SelectMany(i => batches[i].ToArray())];
    }

    [Fact]
    public void ShuffledBatches_ManySeeds_PutEveryImageEverywhereEquallyOften()
    {
        const int Count = 8, Seeds = 8000;
        int[,] times = new int[Count, Count];
        for (int seed = 0; seed < Seeds; seed++)
        {
            ReadOnlySpan<int> order = new ShuffledBatches(Count, Count, (ulong)seed)[0];
            for (int place = 0; place < Count; place++)
                times[place, order[place]]++;
        }

        // A count's deviation is about sqrt(1000 * 7 / 8) = 30: five of them.
        foreach (int count in times)
            count.Should().BeInRange(1000 - 150, 1000 + 150);
    }

    [Fact]
    public void DrawnDigits_SeedAndNumber_DecideTheImage()
    {
        Dataset all = DrawnDigits.Create(30, seed: 7), part = DrawnDigits.Create(10, seed: 7, first: 20), other = DrawnDigits.Create(30, seed: 8);
        part.Pixels.ToArray().Should().Equal(all.Slice(20, 10).Pixels.ToArray());
        other.Pixels.ToArray().Should().NotEqual(all.Pixels.ToArray());
        all.Labels.ToArray().Should().Equal(Enumerable.Range(0, 30).Select(i => i % 10));
    }

    [Fact]
    public void DrawnDigits_EveryImage_HasItsInkInTheMiddle()
    {
        Dataset digits = DrawnDigits.Create(500, seed: 1);
        for (int i = 0; i < digits.Count; i++)
        {
            ReadOnlySpan<byte> image = digits.Pixels.Span.Slice(i * 784, 784);
            int ink = 0;
            foreach (byte pixel in image)
                ink += pixel;

            (ink / 255.0).Should().BeInRange(20, 300, "digit {0} should look like one", i);
            int rim = 0;
            for (int at = 0; at < 28; at++)
                rim += image[at] + image[(27 * 28) + at] + image[28 * at] + image[(28 * at) + 27];

            rim.Should().BeLessThan(ink / 20, "digit {0} should be centred", i);
        }
    }

    private static Dataset Six() =>
        Dataset.From(Enumerable.Range(0, 12).Select(i => (byte)i).ToArray(), new(1, 2, 1), new[] { 0, 1, 2, 0, 1, 2 }, Names);
}
