using FluentAssertions;
using NativeConv.Serialization;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

public sealed class ModelFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SavedModelOfEveryLayer_PredictsTheSameBits()
    {
        Model model = EveryLayer.Build(seed: 3);
        var random = new System.Random(1);
        foreach (Parameter parameter in model.Parameters)
        {
            foreach (ref float value in parameter.Value.Span)
                value = random.NextSingle() + 0.1f;
        }

        model.Save(_folder.File("m"));
        var loaded = Model.Load(_folder.File("m"));
        float[] images = TestData.Uniform(3 * model.InputShape.Length, 5), expected = new float[3 * model.OutputShape.Length], actual = new float[expected.Length];
        model.Predict(images, expected);
        loaded.Predict(images, actual);
        actual.Should().Equal(expected);
        loaded.ClassNames.Should().Equal(model.ClassNames);
        loaded.Nodes.Select(node => node.Name).Should().Equal(model.Nodes.Select(node => node.Name));
        loaded.Save(_folder.File("again"));
        File.ReadAllBytes(_folder.File("again")).Should().Equal(File.ReadAllBytes(_folder.File("m")), "equal models are equal files");
        Directory.GetFiles(_folder.Path).Should().HaveCount(2, "no temporary file stays");
    }

    [Fact]
    public void Load_OtherShapes_NamesTheTensor()
    {
        Model model = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build();
        Rewrite(model, text => text.Replace("\\u0022units\\u0022:3", "\\u0022units\\u0022:5", StringComparison.Ordinal));
        Action load = () => Model.Load(_folder.File("m"));
        load.Should().Throw<InvalidDataException>().WithMessage($"{_folder.File("m")}, byte *'dense.kernel' must be ?16, 5?, but is ?16, 3?*");
    }

    [Theory]
    [InlineData("dense", "dents", "kind 'dents' is unknown")]
    [InlineData("\\u0022units\\u0022:3", "\\u0022units\\u0022:0", "unit")]
    [InlineData("\\u0022units\\u0022:3", "\\u0022units\\u0022:x", "read")]
    [InlineData("[\\u0022flatten\\u0022]", "[\\u0022nowhere\\u0022]", "nowhere")]
    public void Load_BrokenGraph_SaysWhatIsWrong(string from, string to, string message)
    {
        Model model = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build();
        Rewrite(model, text => text.Contains(from, StringComparison.Ordinal) ? text.Replace(from, to, StringComparison.Ordinal) : throw new ArgumentException(text));
        Action load = () => Model.Load(_folder.File("m"));
        load.Should().Throw<InvalidDataException>().WithMessage($"{_folder.File("m")}, byte *{message}*");
    }

    [Fact]
    public void Load_HugeGraph_AllocatesNothingForWeightsThatAreNotThere()
    {
        Model model = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build();
        Rewrite(model, text => text.Replace("\\u0022units\\u0022:3", "\\u0022units\\u0022:50000000", StringComparison.Ordinal));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action load = () => Model.Load(_folder.File("m"));
        load.Should().Throw<InvalidDataException>();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1 << 20);
    }

    [Fact]
    public void Load_TensorThatNoLayerHas_IsRefused()
    {
        Model model = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build();
        var file = new SafetensorsFile(model.SaveToBytes(), "f");
        AtomicFile.Write(_folder.File("m"), stream => SafetensorsWriter.Write(
            stream, [.. file.Metadata], [.. model.Parameters.Select(p => (p.Name, p.Shape, (ReadOnlyMemory<float>)p.Value.Memory)), ("more", new TensorShape(1), new float[1])]));
        Action load = () => Model.Load(_folder.File("m"));
        load.Should().Throw<InvalidDataException>().WithMessage("*the graph has 2 tensors, but the file 3*");
    }

    [Fact]
    public void Load_PlainSafetensors_AsksForTheGraph()
    {
        AtomicFile.Write(_folder.File("m"), stream => SafetensorsWriter.Write(stream, [], [("a", new TensorShape(1), new float[1])]));
        Action load = () => Model.Load(_folder.File("m"));
        load.Should().Throw<InvalidDataException>().WithMessage("*nativeconv.version*");
    }

    [Fact]
    public void SaveAndLoad_StreamOrBytes_AreTheFile()
    {
        Model model = EveryLayer.Build(seed: 3);
        model.Save(_folder.File("m"));
        byte[] file = File.ReadAllBytes(_folder.File("m"));
        using var stream = new MemoryStream();
        stream.WriteByte(7);
        model.Save(stream);
        stream.ToArray()[1..].Should().Equal(file);
        stream.Position = 1;
        Model.Load(stream).SaveToBytes().Should().Equal(file, "a stream is read from where it stands");
        stream.CanRead.Should().BeTrue("it stays open");
        Model.Load(file.AsMemory()).SaveToBytes().Should().Equal(file);
    }

    [Fact]
    public void Load_TruncatedAtAnyByte_IsRefused()
    {
        byte[] file = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build().SaveToBytes();
        for (int length = 0; length < file.Length; length++)
        {
            Action load = () => Model.Load(file.AsMemory(0, length));
            load.Should().Throw<InvalidDataException>().WithMessage("the bytes, byte *");
        }
    }

    [Fact]
    public void Load_GraphOfTwentyThousandNodes_NeedsNoDeepStack()
    {
        ModelBuilder builder = new ModelBuilder(1, 1, 1).Dense(1);
        for (int i = 0; i < 20_000; i++)
            builder.Layer(new Dropout(0.5f), $"d{i}");

        byte[] file = builder.Build().SaveToBytes();
        Model? loaded = null;
        var small = new Thread(() => loaded = Model.Load(file.AsMemory()), maxStackSize: 256 << 10);
        small.Start();
        small.Join();
        loaded!.Nodes.Should().HaveCount(20_002);
    }

    [Fact]
    public void Load_GraphWithMorePathsThanAnyoneCanWalk_IsRead()
    {
        ModelBuilder builder = new ModelBuilder(1, 1, 1).Dense(1);
        for (int i = 0; i < 64; i++)
        {
            Node fork = builder.Current;
            builder.Dropout(0.5f).Add(fork);
        }

        Model.Load(builder.Build().SaveToBytes().AsMemory()).Nodes.Should().HaveCount(130);
    }

    [Fact]
    public void Write_ThatFails_KeepsTheOldFileAndLeavesNothing()
    {
        File.WriteAllText(_folder.File("m"), "old");
        Action write = () => AtomicFile.Write(_folder.File("m"), stream =>
        {
            stream.WriteByte(1);
            throw new IOException("full");
        });
        write.Should().Throw<IOException>().WithMessage($"*{_folder.File("m")}*as it was: full");
        File.ReadAllText(_folder.File("m")).Should().Be("old");
        Directory.GetFiles(_folder.Path).Should().ContainSingle();
    }

    /// <summary>Saves the model, and changes its header's text, values left as they are.</summary>
    private void Rewrite(Model model, Func<string, string> change)
    {
        model.Save(_folder.File("m"));
        byte[] file = File.ReadAllBytes(_folder.File("m"));
        int length = (int)BitConverter.ToInt64(file);
        byte[] header = System.Text.Encoding.UTF8.GetBytes(change(System.Text.Encoding.UTF8.GetString(file, 8, length)));
        File.WriteAllBytes(_folder.File("m"), [.. BitConverter.GetBytes((long)header.Length), .. header, .. file[(8 + length)..]]);
    }
}
