using FluentAssertions;
using NativeConv.Hostile;
using NativeConv.Serialization;
using NativeConv.Tests.Support;
using NativeConv.Training;
using Xunit;

namespace NativeConv.Tests.Serialization;

/// <summary>Broken and harmful safetensors files: models, weights and checkpoints.</summary>
public sealed class HostileModelFileTests
{
    /// <summary>A layer is some forty bytes of JSON and becomes a description, a node and its names.</summary>
    private const long BytesPerByte = 64, BytesPerFile = 1 << 17;

    private static readonly Model Small = new ModelBuilder(4, 4, 1).Normalize(scale: 0.5f).Conv2D(2, 3).BatchNormalization().ReLU().MaxPool2D(2).Flatten().Dense(2).ClassNames("a", "b").Build(1);

    private static readonly byte[][] Models =
    [
        Small.SaveToBytes(), EveryLayer.Build(seed: 1).SaveToBytes(), new ModelBuilder(2, 2, 1).Flatten().Dense(2).Build().SaveToBytes(),
        new ModelBuilder(3, 5, 2).SeparableConv2D(3, 3, dilation: 2).GlobalAveragePool2D().Dense(2).Build().SaveToBytes(),
    ];

    [Fact]
    public void Load_BrokenModels_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        int accepted = HostileFiles.Read(new FileMutations(Models, seed: 4).Next, count, Load, BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 3 / 4, "some changes hit weights and some rules");
    }

    [Fact]
    public void Load_BrokenGraphsOfGoodFiles_ThrowOnlyInvalidDataInProportion()
    {
        // The graph is broken, and the file around it is as it should be.
        int count = HostileFiles.Count(100_000);
        var graphs = new FileMutations([.. Models.Select(file => System.Text.Encoding.UTF8.GetBytes(new SafetensorsFile(file, "f").Metadata["nativeconv.graph"]))], seed: 5);
        (string, TensorShape, ReadOnlyMemory<float>)[] tensors = [.. Small.Parameters.Select(p => (p.Name, p.Shape, (ReadOnlyMemory<float>)p.Value.Memory))];
        int accepted = HostileFiles.Read(Broken, count, Load, BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 1000, count * 3 / 4);

        byte[] Broken()
        {
            using var stream = new MemoryStream();
            string graph = System.Text.Encoding.UTF8.GetString(graphs.Next());
            SafetensorsWriter.Write(stream, new Dictionary<string, string> { ["nativeconv.version"] = "1", ["nativeconv.graph"] = graph }, tensors);
            return stream.ToArray();
        }
    }

    [Fact]
    public void LoadWeights_BrokenFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000) / 4;
        Model model = new ModelBuilder(2, 2, 1).Flatten().Dense(2).Build();
        int accepted = HostileFiles.Read(new FileMutations(Models, seed: 6).Next, count, file => model.LoadWeights(new MemoryStream(file, writable: false), strict: false), BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 3 / 4);
    }

    [Fact]
    public void Load_BrokenCheckpoints_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        byte[] good = Checkpoint();
        int accepted = HostileFiles.Read(
            new FileMutations([good], seed: 7).Next, count, file => TrainingStateFile.Read(new(file, "f")), BytesPerByte, BytesPerFile);
        accepted.Should().BeLessThan(count / 20, "a hash watches over all but the header's layout");
    }

    [Fact]
    public void Load_BrokenStatesUnderARightHash_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        var good = new SafetensorsFile(Checkpoint(), "f");
        StateTensor[] tensors = [.. good.Entries.Values.Select(entry =>
        {
            var shape = new TensorShape([.. entry.Shape.Select(dimension => (int)dimension)]);
            float[] values = new float[shape.Length];
            good.CopyTo(entry.Name, shape, values);
            return new StateTensor(entry.Name, shape, values);
        })];
        var states = new FileMutations([System.Text.Encoding.UTF8.GetBytes(good.Metadata["nativeconv.training"])], seed: 8);
        int accepted = HostileFiles.Read(Broken, count, file => TrainingStateFile.Read(new(file, "f")), BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 3 / 4);

        byte[] Broken()
        {
            using var stream = new MemoryStream();
            string json = System.Text.Encoding.UTF8.GetString(states.Next());
            var metadata = new Dictionary<string, string>
            {
                ["nativeconv.version"] = "1", ["nativeconv.training"] = json, ["nativeconv.sha256"] = TrainingStateFile.Hash(json, tensors),
            };
            SafetensorsWriter.Write(stream, metadata, [.. tensors.Select(tensor => (tensor.Name, tensor.Shape, tensor.Values))]);
            return stream.ToArray();
        }
    }

    private static void Load(byte[] file)
    {
        var model = Model.Load(file.AsMemory());
        model.Parameters.Sum(parameter => sizeof(float) * (long)parameter.Value.Length).Should().BeLessThanOrEqualTo(file.Length);
    }

    /// <summary>A checkpoint in the middle of the second epoch, with all that one can hold.</summary>
    private static byte[] Checkpoint()
    {
        using var folder = new TemporaryFolder();
        Dataset data = Dataset.FromFloats(TestData.Uniform(12 * 16, 1), new(4, 4, 1), TestData.Labels(12, 2, 2), ["a", "b"]);
        Small.Clone().Fit(data, data, new()
        {
            Epochs = 2, BatchSize = 5, Averaging = new(0.5), Callbacks =
            [
                new EarlyStopping(5, restoreBestWeights: true), new ReduceOnPlateau(),
                new Recorder { ResumePoint = training => Save(training) },
            ],
        });
        return File.ReadAllBytes(folder.File("state"));

        void Save(TrainingContext training)
        {
            if (training.Step == 4)
                training.Capture(new Dictionary<string, string> { ["note"] = "ü\"\\" }).Save(folder.File("state"));
        }
    }
}
