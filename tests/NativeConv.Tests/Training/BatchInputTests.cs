using FluentAssertions;
using NativeConv.Training;
using Xunit;

namespace NativeConv.Tests.Training;

public sealed class BatchInputTests
{
    private static readonly Augmentation Shifts = new() { Shift = 2, Rotation = 30, Elastic = 1 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Take_InAnyOrder_GivesEachBatchItsImages(bool prefetches)
    {
        Dataset data = DrawnDigits.Create(20, seed: 1);
        var input = new BatchInput(data, 4, Shifts, seed: 9, prefetches);
        Expect(0, [1, 2, 3, 4], following: [5, 6, 7, 8]);
        Expect(0, [5, 6, 7, 8], following: [9, 10]);
        Expect(0, [11, 12], following: [13]);
        Expect(1, [13], following: [14]);
        Expect(1, [14], following: []);
        Expect(1, [1, 2, 3, 4], following: []);

        void Expect(int epoch, int[] indices, int[] following)
        {
            ReadOnlySpan<float> images = input.Take(epoch, indices, following);
            images.Length.Should().Be(indices.Length * 784);
            float[] plain = new float[784], expected = new float[784];
            for (int i = 0; i < indices.Length; i++)
            {
                data.CopyImages([indices[i]], plain);
                Shifts.Apply(plain, data.Shape, expected, seed: 9, epoch, indices[i]);
                images.Slice(i * 784, 784).ToArray().Should().Equal(expected);
            }
        }
    }

    [Fact]
    public void Take_WithoutAugmentation_GivesTheImages()
    {
        Dataset data = DrawnDigits.Create(5, seed: 1);
        var input = new BatchInput(data, 3, null, seed: 9, prefetches: true);
        float[] expected = new float[2 * 784];
        data.CopyImages([4, 0], expected);
        input.Take(3, [4, 0], [1]).ToArray().Should().Equal(expected);
    }

    [Fact]
    public void Fit_WithAugmentation_GivesTheSameBitsForAnyThreads()
    {
        Dataset train = DrawnDigits.Create(100, seed: 1);
        byte[] plain = Train(1, null);
        byte[] alone = Train(1, Shifts);
        alone.Should().NotEqual(plain);
        Train(2, Shifts).Should().Equal(alone);
        Train(3, Shifts).Should().Equal(alone);

        byte[] Train(int threads, Augmentation? augmentation)
        {
            Model model = new ModelBuilder(28, 28, 1).Conv2D(4, 3, stride: 4, activation: Activation.ReLU).Flatten().Dense(10).Build(seed: 1);
            model.Execution = new() { ThreadCount = threads };
            model.Fit(train, options: new() { Epochs = 2, BatchSize = 30, Seed = 5, Augmentation = augmentation });
            return model.SaveToBytes();
        }
    }
}
