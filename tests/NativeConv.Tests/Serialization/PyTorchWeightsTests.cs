using FluentAssertions;
using NativeConv.Serialization;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Serialization;

/// <summary>Weights that PyTorch made (<c>PyTorch/make_state_dict.py</c>), and PyTorch's own outputs.</summary>
public sealed class PyTorchWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_ByOrder_PredictsWhatPyTorchDoes()
    {
        Model model = Network().Build();
        WeightsReport report = model.LoadPyTorchWeights(File("state_dict"));
        report.IsComplete.Should().BeTrue();
        report.Loaded.Should().HaveCount(model.Parameters.Count).And.Contain(new WeightMatch("conv2d_3.kernel", "10.weight")).And.Contain(new WeightMatch("conv2d_1.bias", "6.bias"));
        RequirePyTorchsOutputs(model);
    }

    [Fact]
    public void Load_ByGivenModules_PredictsWhatPyTorchDoes()
    {
        Model model = Network().Build();
        string[] layers = ["conv2d", "batch_normalization", "depthwise_conv2d", "pointwise_conv2d", "conv2d_1", "conv2d_2", "conv2d_3", "batch_normalization_1", "dense", "dense_1"];
        string[] modules = ["0", "1", "3", "4", "6", "9", "10", "13", "15", "17"];
        model.LoadPyTorchWeights(File("state_dict"), modules: layers.Zip(modules).ToDictionary(pair => pair.First, pair => pair.Second));
        RequirePyTorchsOutputs(model);
    }

    [Fact]
    public void Load_DenseLayerThatFlattensItself_PredictsTheSame()
    {
        float[] images = TestData.Uniform(2 * 24, 1), expected = new float[6], actual = new float[6];
        Save("w", ("fc.weight", [3, 24], TestData.Uniform(72, 2)), ("fc.bias", [3], TestData.Uniform(3, 3)));
        Model flattened = new ModelBuilder(2, 3, 4).Flatten().Dense(3).Build(), direct = new ModelBuilder(2, 3, 4).Dense(3).Build();
        flattened.LoadPyTorchWeights(_folder.File("w"));
        direct.LoadPyTorchWeights(_folder.File("w"));
        flattened.Predict(images, expected);
        direct.Predict(images, actual);
        actual.Should().Equal(expected);
        direct.Parameter("dense.kernel").Value.Span[3].Should().Be(TestData.Uniform(72, 2)[6], "input 1 is row 0, column 0, channel 1, which PyTorch keeps at 6");
    }

    [Fact]
    public void Load_ConcatenatedFlattenedImages_KeepsEachPartsOrder()
    {
        ModelBuilder builder = new ModelBuilder(1, 2, 2).Flatten();
        Node flat = builder.Current;
        Model model = builder.From(flat).ReLU().Concat(flat).Dense(1, useBias: false).Build();
        Save("w", ("weight", [1, 8], [0, 1, 2, 3, 4, 5, 6, 7]));
        model.LoadPyTorchWeights(_folder.File("w"));
        model.Parameter("dense.kernel").Value.Span.ToArray().Should().Equal(0, 2, 1, 3, 4, 6, 5, 7);
    }

    [Fact]
    public void Load_PartialWithAnotherHead_ReportsAndKeepsTheHead()
    {
        Model model = Network(classes: 9).Build(seed: 4);
        float[] head = model.Parameter("dense_1.kernel").Value.Span.ToArray();
        Action strict = () => model.LoadPyTorchWeights(File("state_dict"));
        strict.Should().Throw<InvalidDataException>().WithMessage("*byte 8*2 of another shape: dense_1.kernel ?9, 7? from 17.weight ?5, 7?*");
        model.Parameter("conv2d_1.bias").Value.Span.ToArray().Should().OnlyContain(value => value == 0, "a strict load that fails changes nothing");

        WeightsReport report = model.LoadPyTorchWeights(File("state_dict"), strict: false);
        report.OtherShape.Select(mismatch => mismatch.Parameter).Should().Equal("dense_1.kernel", "dense_1.bias");
        (report.Missing.Count, report.Unused.Count, report.Loaded.Count).Should().Be((0, 0, model.Parameters.Count - 2));
        model.Parameter("dense_1.kernel").Value.Span.ToArray().Should().Equal(head);
        model.Parameter("conv2d_1.bias").Value.Span.ToArray().Should().NotContain(0f);
    }

    [Fact]
    public void Load_NamesThatDoNotTellTheirOrder_AsksForModules()
    {
        Save("w", ("stem.weight", [2, 2, 1, 1], [1, 2, 3, 4]), ("body.weight", [2, 2, 1, 1], [5, 6, 7, 8]));
        Model model = new ModelBuilder(3, 3, 2).Conv2D(2, 1, useBias: false).Conv2D(2, 1, useBias: false).Build();
        Action byOrder = () => model.LoadPyTorchWeights(_folder.File("w"));
        byOrder.Should().Throw<InvalidDataException>().WithMessage("*'body' and 'stem'*name the modules*");
        model.LoadPyTorchWeights(_folder.File("w"), modules: new Dictionary<string, string> { ["conv2d"] = "stem", ["conv2d_1"] = "body" });
        model.Parameter("conv2d.kernel").Value.Span.ToArray().Should().Equal(1, 3, 2, 4);
    }

    [Fact]
    public void Load_ModulesOfNoLayer_NamesIt()
    {
        Action load = () => Network().Build().LoadPyTorchWeights(File("state_dict"), modules: new Dictionary<string, string> { ["conv9"] = "0" });
        load.Should().Throw<ArgumentException>().WithMessage("*no layer 'conv9'*conv2d*");
    }

    private static void RequirePyTorchsOutputs(Model model)
    {
        SafetensorsFile expected = SafetensorsFile.Read(File("expected"));
        float[] images = new float[3 * model.InputShape.Length], outputs = new float[3 * 5], theirs = new float[3 * 5];
        expected.CopyTo("images", new(3, 6, 8, 2), images);
        expected.CopyTo("outputs", new(3, 5), theirs);
        model.Predict(images, outputs);
        float largest = theirs.Max(Math.Abs);
        for (int i = 0; i < outputs.Length; i++)
            outputs[i].Should().BeApproximately(theirs[i], 1e-5f * largest);
    }

    private static ModelBuilder Network(int classes = 5) => new ModelBuilder(6, 8, 2)
        .Conv2D(6, new Size2D(3, 5), useBias: false).BatchNormalization().ReLU()
        .DepthwiseConv2D(3, depthMultiplier: 2).PointwiseConv2D(8, activation: Activation.SiLU)
        .Conv2D(8, 3, dilation: 2, groups: 2).MaxPool2D(2).Dropout(0.5f)
        .Conv2D(8, 3).Conv2D(8, 3, activation: Activation.LeakyReLU)
        .Flatten().BatchNormalization().Activate(Activation.Gelu).Dense(7, activation: Activation.Tanh).Dense(classes);

    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Serialization", "PyTorch", name + ".safetensors");

    private void Save(string name, params (string Name, int[] Shape, float[] Values)[] tensors) => AtomicFile.Write(
        _folder.File(name),
        stream => SafetensorsWriter.Write(stream, [], [.. tensors.Select(tensor => (tensor.Name, new TensorShape(tensor.Shape), (ReadOnlyMemory<float>)tensor.Values))]));
}
