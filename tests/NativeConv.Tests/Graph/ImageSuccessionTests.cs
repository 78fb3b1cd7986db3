using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Layers;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Which buffers take over another's place image by image. That no bit changes by it is what plans with every buffer apart show (<see cref="GuardedPlanTests"/>).</summary>
public sealed class ImageSuccessionTests
{
    [Fact]
    public void Of_ABufferWrittenAfterAnothersLastRead_TakesItsPlace()
    {
        PlannedBuffer read = Buffer(8, (0, 1), (2, 10)), written = Buffer(8, (2, 11), (3, 15)), later = Buffer(8, (3, 16), (4, 20));
        Places([later, read, written], areImagesApart: false).Should().ContainSingle().Which.Lifetime.Should().Be((0, 4));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(9)]
    public void Of_ABufferWrittenNotAfterTheLastRead_HasItsOwn(int firstStep) =>
        Places([Buffer(8, (0, 1), (2, 10)), Buffer(8, (2, firstStep), (3, 15))], areImagesApart: true).Should().HaveCount(2);

    /// <summary>A stage later other workers may be reading other images: that is the lifetimes' matter.</summary>
    [Fact]
    public void Of_ABufferOfALaterStage_HasItsOwn() => Places([Buffer(8, (0, 1), (2, 10)), Buffer(8, (3, 11), (4, 15))], areImagesApart: true).Should().HaveCount(2);

    [Fact]
    public void Of_TwoThatCouldFollow_FollowTheSmallestThatIsLargeEnough()
    {
        PlannedBuffer large = Buffer(9, (0, 1), (2, 10)), fit = Buffer(8, (0, 2), (2, 9)), small = Buffer(7, (0, 3), (2, 8)), written = Buffer(8, (2, 11), (3, 15));
        Places([large, fit, small, written], areImagesApart: true).Should().HaveCount(3);
        (written.Offset, written.ImageStride).Should().Be((fit.Offset, 8));
    }

    [Theory]
    [InlineData(true, false, 1)]
    [InlineData(false, false, 2)]
    [InlineData(true, true, 2)]
    public void Of_ASmallerBuffer_FollowsWhereItsImagesMayLieApart(bool areImagesApart, bool isReadWhole, int places)
    {
        PlannedBuffer read = Buffer(8, (0, 1), (2, 10)), written = Buffer(6, (2, 11), (3, 15));
        written.IsReadWhole = isReadWhole;
        Places([read, written], areImagesApart).Should().HaveCount(places);
        (read.ImageStride, written.ImageStride).Should().Be((8, places == 1 ? 8 : 6));
    }

    [Fact]
    public void Of_ALargerBuffer_HasItsOwn() => Places([Buffer(8, (0, 1), (2, 10)), Buffer(9, (2, 11), (3, 15))], areImagesApart: true).Should().HaveCount(2);

    /// <summary>Of a longer image a band would cover bands of the shorter that are still to be read, though the place has room for both.</summary>
    [Theory]
    [InlineData(false, 4, true)]
    [InlineData(true, 4, false)]
    [InlineData(true, 3, true)]
    public void Of_ABufferInBands_FollowsWhatIsNoShorter(bool isInBands, int length, bool follows)
    {
        PlannedBuffer first = Buffer(8, (0, 1), (1, 5)), small = Buffer(3, (1, 6), (2, 10)), written = Buffer(length, (2, 11), (3, 15));
        written.IsUsedInBands = isInBands;
        Places([first, small, written], areImagesApart: true).Should().HaveCount(follows ? 1 : 2);
    }

    /// <summary>A band that is read beside the next one must stay until then.</summary>
    [Fact]
    public void Of_ABufferReadAcrossBands_HasItsPlaceForItself()
    {
        PlannedBuffer read = Buffer(8, (0, 1), (2, 10));
        read.IsReadAcrossBands = true;
        Places([read, Buffer(8, (2, 11), (3, 15))], areImagesApart: true).Should().HaveCount(2);
    }

    /// <summary>The gradient of a convolution's input is written over the output that its backward pass has just read for the last time.</summary>
    [Fact]
    public void APlan_OfNormalizedConvolutions_WritesGradientsOverValuesReadForTheLastTime()
    {
        Recorder memory = Record(20, PlanKind.Training);
        memory.Followed("batch_normalization'").Should().Be("depthwise_conv2d");
        memory.Followed("batch_normalization_1'").Should().Be("pointwise_conv2d");
        memory.Stride("batch_normalization_1'").Should().Be(20 * 20 * 64);
    }

    /// <summary>Layers take the images that a worker carries as one block.</summary>
    [Fact]
    public void APlan_WhoseWorkersCarrySeveralImages_KeepsThemSideBySide()
    {
        Recorder memory = Record(10, PlanKind.Training);
        memory.Followed("batch_normalization'").Should().Be("depthwise_conv2d");
        memory.Followed("batch_normalization_1'").Should().NotBe("pointwise_conv2d");
        memory.Stride("batch_normalization_1'").Should().Be(10 * 10 * 48);
    }

    [Fact]
    public void APlan_ByHand_KnowsWhatIsReadWhole()
    {
        Recorder memory = Record(20, PlanKind.ByHand);
        memory.Buffers.Where(buffer => buffer.IsReadWhole).Select(buffer => buffer.Name).Should().Contain("dense").And.NotContain("pointwise_conv2d");
    }

    /// <summary>The gradient of a dense layer's input could have the place of its output, which is longer, but images of several chunks are read as one block.</summary>
    [Fact]
    public void APlan_WhoseImagesComeTogether_KeepsThemSideBySide()
    {
        Model model = new ModelBuilder(28, 28, 1).Conv2D(16, 3).BatchNormalization().ReLU().Conv2D(1, 3).MaxPool2D(2).BatchNormalization().Flatten().Dense(256).BatchNormalization().ReLU().Dense(3).Build(seed: 1);
        model.Plan(Loss.SoftmaxCrossEntropy(), 4).ToString().Should().Contain("1 images at a time").And.Contain("{dense'}");
        Recorder memory = Record(model, PlanKind.Training);
        memory.Buffers.Where(buffer => buffer.IsReadWhole && !buffer.IsPerWorker).Select(buffer => buffer.Name).Should().Contain("batch_normalization_1'");
        memory.Stride("batch_normalization_1'").Should().Be(14 * 14);
    }

    private static Recorder Record(int size, PlanKind kind) => Record(
        new ModelBuilder(size, size, 1).Conv2D(48, 3).BatchNormalization().ReLU().DepthwiseConv2D(3).BatchNormalization().ReLU().PointwiseConv2D(64).BatchNormalization().ReLU()
            .GlobalAveragePool2D().Dense(3).Build(seed: 1),
        kind);

    private static Recorder Record(Model model, PlanKind kind)
    {
        var memory = new Recorder();
        _ = new Plan(model.Graph, model.Store, kind, batchSize: 4, workers: 1, SimdLevels.Default, kind == PlanKind.Training ? Loss.SoftmaxCrossEntropy() : null, memory: memory);
        return memory;
    }

    private static PlannedBuffer Buffer(int imageLength, params (int Stage, int Step)[] uses)
    {
        var buffer = new PlannedBuffer("buffer", imageLength);
        foreach ((int stage, int step) in uses)
            buffer.Use(stage, step);

        return buffer;
    }

    private static IReadOnlyList<ImageSuccession> Places(PlannedBuffer[] buffers, bool areImagesApart)
    {
        IReadOnlyList<ImageSuccession> places = ImageSuccession.Of(buffers, areImagesApart);
        for (int i = 0; i < places.Count; i++)
            places[i].Put(100 * i);

        return places;
    }

    private sealed class Recorder : PlanMemory
    {
        public IReadOnlyList<PlannedBuffer> Buffers { get; private set; } = [];

        /// <summary>The buffer whose place another takes in the stage that reads it last.</summary>
        public string? Followed(string name)
        {
            PlannedBuffer written = Find(name);
            return Buffers.SingleOrDefault(buffer => !buffer.IsPerWorker && buffer.Offset == written.Offset && buffer.LastStage == written.FirstStage)?.Name;
        }

        public unsafe long Stride(string name)
        {
            BufferView view = View(Find(name));
            return view.Image(1) - view.Image(0);
        }

        public override void Place(IReadOnlyList<PlannedBuffer> buffers, PlanSize size, int scratchLength)
        {
            Buffers = buffers;
            base.Place(buffers, size, scratchLength);
        }

        private PlannedBuffer Find(string name) => Buffers.Single(buffer => buffer.Name == name);
    }
}
