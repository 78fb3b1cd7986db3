using FluentAssertions;
using NativeConv.Hostile;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

/// <summary>Readers of bytes in memory, whole, cut and broken, between guard pages: a reader that looks beyond its file ends the process. They say what they say of the same bytes in an array.</summary>
public sealed class GuardedReaderTests
{
    private const int Broken = 5000;

    private static readonly byte[] Small = new ModelBuilder(2, 2, 1).Normalize(scale: 0.5f).Flatten().Dense(2).Build(1).SaveToBytes();

    [Fact]
    public void Model_CutAnywhere_IsReadWithinItsBytes()
    {
        for (int length = 0; length <= Small.Length; length++)
            GuardedReading.Accepts(Small[..length], LoadModel).Should().Be(length == Small.Length, "{0} of {1} bytes are there", length, Small.Length);
    }

    [Fact]
    public void Models_Broken_AreReadWithinTheirBytes()
    {
        var files = new FileMutations([Small, EveryLayer.Build(seed: 1).SaveToBytes()], seed: 12);
        int accepted = Enumerable.Range(0, Broken).Count(_ => GuardedReading.Accepts(files.Next(), LoadModel));
        accepted.Should().BeInRange(Broken / 100, Broken * 3 / 4);
    }

    [Fact]
    public void States_Broken_AreReadWithinTheirBytes()
    {
        using var folder = new TemporaryFolder();
        Dataset data = Dataset.FromFloats(TestData.Uniform(6 * 4, 1), new(2, 2, 1), TestData.Labels(6, 2, 2), ["a", "b"]);
        Model.Load(Small.AsMemory()).Fit(data, options: new()
        {
            Epochs = 1, BatchSize = 3, Callbacks = [new Recorder { ResumePoint = training => training.Capture(new Dictionary<string, string>()).Save(folder.File("state")) }],
        });
        byte[] good = File.ReadAllBytes(folder.File("state"));
        GuardedReading.Accepts(good, LoadState).Should().BeTrue();
        var files = new FileMutations([good], seed: 13);
        for (int i = 0; i < Broken; i++)
            GuardedReading.Accepts(files.Next(), LoadState);
    }

    [Fact]
    public void Dataset_OfBytes_IsReadWithinThem()
    {
        byte[] pixels = [.. Enumerable.Range(0, 5 * 21).Select(i => (byte)i)];
        foreach (Guard guard in Enum.GetValues<Guard>())
        {
            using var file = new GuardedBlock<byte>(pixels, guard);
            Dataset data = Dataset.From(file.Memory, new(7, 3, 1), new int[5], ["a"]);
            float[] images = new float[pixels.Length];
            data.CopyImages([0, 1, 2, 3, 4], images);
            images.Should().Equal(pixels.Select(pixel => (float)pixel));
        }
    }

    private static void LoadModel(ReadOnlyMemory<byte> file) => Model.Load(file);

    private static void LoadState(ReadOnlyMemory<byte> file) => TrainingStateFile.Read(new(file, "f"));
}
