using System.Text;
using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

public sealed class ModelWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_SavedModel_GivesEveryWeight()
    {
        Model from = EveryLayer.Build(seed: 3), to = EveryLayer.Build(seed: 4);
        from.Save(_folder.File("m"));
        WeightsReport report = to.LoadWeights(_folder.File("m"));
        report.IsComplete.Should().BeTrue();
        report.Loaded.Should().HaveCount(from.Parameters.Count).And.OnlyContain(match => match.Parameter == match.Tensor);
        to.SaveToBytes().Should().Equal(from.SaveToBytes());
    }

    [Fact]
    public void Load_StrictIntoAnotherModel_NamesEverythingAndChangesNothing()
    {
        Small(classes: 3, name: "head").Save(_folder.File("m"));
        Model model = Small(classes: 4, name: "head");
        model.Nodes.Should().Contain(node => node.Name == "head");
        byte[] before = model.SaveToBytes();
        Action load = () => model.LoadWeights(_folder.File("m"));
        load.Should().Throw<InvalidDataException>().WithMessage($"{_folder.File("m")}, byte 8:*2 of another shape: head.kernel ?32, 4? from head.kernel ?32, 3?, head.bias*");
        Action other = () => Small(classes: 3, name: "other").LoadWeights(_folder.File("m"));
        other.Should().Throw<InvalidDataException>().WithMessage("*2 missing: other.kernel, other.bias; 2 left over: head.bias, head.kernel*");
        model.SaveToBytes().Should().Equal(before);
    }

    [Fact]
    public void Load_Partial_ReportsEachAndLoadsTheRest()
    {
        Model from = Small(classes: 3, name: "head", seed: 1), to = Small(classes: 3, name: "other", seed: 2);
        using var stream = new MemoryStream(from.SaveToBytes());
        float[] head = to.Parameter("other.kernel").Value.Span.ToArray();
        WeightsReport report = to.LoadWeights(stream, strict: false);
        report.Loaded.Select(match => match.Parameter).Should().Equal("conv2d.kernel", "conv2d.bias");
        report.Missing.Should().Equal("other.kernel", "other.bias");
        report.Unused.Should().Equal("head.bias", "head.kernel");
        report.ToString().Should().Be("2 loaded; 2 missing: other.kernel, other.bias; 2 left over: head.bias, head.kernel");
        to.Parameter("conv2d.kernel").Value.Span.ToArray().Should().Equal(from.Parameter("conv2d.kernel").Value.Span.ToArray());
        to.Parameter("other.kernel").Value.Span.ToArray().Should().Equal(head);
        stream.CanRead.Should().BeTrue("the stream stays open");
    }

    [Fact]
    public void Load_WithNames_TakesTheTensorsNamed()
    {
        Model from = Small(classes: 3, name: "head", seed: 1), to = Small(classes: 3, name: "other", seed: 2);
        from.Save(_folder.File("m"));
        to.LoadWeights(_folder.File("m"), names: new Dictionary<string, string> { ["other.kernel"] = "head.kernel", ["other.bias"] = "head.bias" }).IsComplete.Should().BeTrue();
        to.Parameter("other.kernel").Value.Span.ToArray().Should().Equal(from.Parameter("head.kernel").Value.Span.ToArray());
        Action load = () => to.LoadWeights(_folder.File("m"), names: new Dictionary<string, string> { ["nothing.kernel"] = "head.kernel" });
        load.Should().Throw<ArgumentException>().WithMessage("*no parameter 'nothing.kernel'*other.kernel*");
    }

    [Fact]
    public void Load_Tensors_CopiesOrNamesWhatDoesNotFit()
    {
        Model model = Small(classes: 2, name: "head");
        var weights = new Dictionary<string, Tensor> { ["head.bias"] = Tensor.From([5, 6], 2), ["x"] = new Tensor(1) };
        model.LoadWeights(weights, strict: false).Unused.Should().Equal("x");
        model.Parameter("head.bias").Value.Span.ToArray().Should().Equal(5, 6);
        Action strict = () => model.LoadWeights(weights);
        strict.Should().Throw<ArgumentException>().WithMessage("*3 missing*1 left over: x*").WithParameterName("weights");
    }

    [Theory]
    [InlineData("F16", new byte[] { 0x00, 0x3C, 0x00, 0xC1, 0xFF, 0x7B }, new float[] { 1, -2.5f, 65504 })]
    [InlineData("BF16", new byte[] { 0x80, 0x3F, 0x20, 0xC0, 0x7F, 0x7F }, new float[] { 1, -2.5f, 3.3895314e38f })]
    public void Load_SmallerFloats_WidensThem(string type, byte[] bytes, float[] expected)
    {
        Model model = new ModelBuilder(1, 1, 1).Dense(3, useBias: false).Build();
        model.LoadWeights(new MemoryStream(File(type, bytes)));
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().Equal(expected);
    }

    [Fact]
    public void Load_NoFloats_NamesTheType()
    {
        Model model = new ModelBuilder(1, 1, 1).Dense(3, useBias: false).Build();
        Action load = () => model.LoadWeights(new MemoryStream(File("I16", new byte[6])));
        load.Should().Throw<InvalidDataException>().WithMessage("the stream, byte *'dense.kernel' must be of type F32, F16 or BF16, but is I16*");
    }

    private static Model Small(int classes, string name, ulong seed = 0) =>
        new ModelBuilder(4, 4, 1).Conv2D(2, 3).Flatten().Dense(classes, name: name).Build(seed);

    private static byte[] File(string type, byte[] values)
    {
        byte[] header = Encoding.UTF8.GetBytes($$$"""{"dense.kernel":{"dtype":"{{{type}}}","shape":[1,3],"data_offsets":[0,{{{values.Length}}}]}}""");
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. values];
    }
}
