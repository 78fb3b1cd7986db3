using System.IO.Compression;
using System.Text;
using System.Text.Json;
using FluentAssertions;
using Xunit;

namespace NativeConv.Keras.Tests;

/// <summary>Files in Keras 3's layout (<c>Files/make_files.py</c>; Keras itself did not make them), and outputs computed by PyTorch.</summary>
public sealed class KerasFileTests
{
    [Fact]
    public void Load_Sequential_PredictsWhatItsLayersSay()
    {
        Model model = KerasFile.Load(File("sequential.keras"), ["a", "b", "c", "d"]);
        model.ClassNames.Should().Equal("a", "b", "c", "d");
        model.Parameter("each.kernel").Shape.Should().Be(new TensorShape(3, 3, 6, 2));
        model.Nodes.Select(node => node.Name).Should().ContainInOrder("rescaling", "first", "normal", "swish", "each", "each_activation", "apart_depthwise", "apart_pointwise", "scores");
        Check(model, "sequential", "logits", probabilities: false);
        Check(model, "sequential", "probabilities", probabilities: true);
    }

    [Fact]
    public void Load_Functional_PredictsWhatItsLayersSay()
    {
        using FileStream stream = System.IO.File.OpenRead(File("functional.keras"));
        Check(KerasFile.Load(stream), "functional", "outputs", probabilities: false);
        stream.CanRead.Should().BeTrue("the stream stays open");
    }

    [Fact]
    public void Load_UnscaledNormalization_KeepsGammaAtOne() =>
        KerasFile.Load(File("sequential.keras")).Parameter("unscaled.gamma").Value.Span.ToArray().Should().OnlyContain(value => value == 1);

    [Theory]
    [InlineData("sequential.weights.h5")]
    [InlineData("sequential.keras")]
    public void LoadKerasWeights_ModelBuiltInCode_PredictsWhatItsLayersSay(string file)
    {
        Model model = Sequential().Build();
        WeightsReport report = model.LoadKerasWeights(File(file), strict: false);
        report.Missing.Should().BeEquivalentTo(["batch_normalization_1.gamma", "batch_normalization_1.beta", "batch_normalization_1.running_mean", "batch_normalization_1.running_var"]);
        report.Unused.Should().BeEquivalentTo(["layers/batch_normalization_1/vars/0", "layers/batch_normalization_1/vars/1", "layers/batch_normalization_1/vars/2"], "the one without a scale cannot be told from the file");
        report.OtherShape.Should().BeEmpty();
        report.Loaded.Should().Contain(new WeightMatch("separable_conv2d_pointwise.bias", "layers/separable_conv2d/vars/2")).And.Contain(new WeightMatch("conv2d_1.kernel", "layers/conv2d_1/vars/0"));
        Model whole = KerasFile.Load(File("sequential.keras"));
        foreach (string name in (string[])["gamma", "beta", "running_mean", "running_var"])
            whole.Parameter($"unscaled.{name}").Value.Span.CopyTo(model.Parameter($"batch_normalization_1.{name}").Value.Span);

        Check(model, "sequential", "logits", probabilities: false);
    }

    [Fact]
    public void LoadKerasWeights_Strict_NamesWhatDoesNotFitAndChangesNothing()
    {
        Model model = new ModelBuilder(9, 8, 2).Conv2D(6, new Size2D(3, 5)).Flatten().Dense(3).Build();
        byte[] before = model.SaveToBytes();
        Action load = () => model.LoadKerasWeights(File("sequential.weights.h5"));
        load.Should().Throw<InvalidDataException>().WithMessage("*sequential.weights.h5: *left over: layers/batch_normalization/vars/0*dense.kernel ?432, 3? from *");
        model.SaveToBytes().Should().Equal(before);
        WeightsReport report = model.LoadKerasWeights(File("sequential.weights.h5"), strict: false);
        report.Loaded.Select(match => match.Parameter).Should().Equal("conv2d.kernel", "conv2d.bias");
        report.OtherShape.Select(mismatch => mismatch.Tensor).Should().Equal("layers/dense/vars/0", "layers/dense/vars/1");
    }

    [Fact]
    public void LoadKerasWeights_StreamAndEveryVariable_IsComplete()
    {
        Model whole = KerasFile.Load(File("functional.keras"));
        Model model = new ModelBuilder(6, 7, 1).Conv2D(6, 3).Conv2D(6, 3).GlobalAveragePool2D().Dense(2).Dense(6).PointwiseConv2D(3).Build();
        using FileStream stream = System.IO.File.OpenRead(File("functional.keras"));
        WeightsReport report = model.LoadKerasWeights(stream, strict: false);
        (report.Missing.Count, report.OtherShape.Count).Should().Be((0, 0));
        report.Unused.Should().Equal("layers/dense_2/vars/0", "layers/dense_2/vars/1");
        model.Parameter("pointwise_conv2d.kernel").Value.Span.ToArray().Should().Equal(whole.Parameter("narrow.kernel").Value.Span.ToArray());
    }

    [Fact]
    public void LoadKerasWeights_NewerHdf5_ReadsIndexedGroups()
    {
        ModelBuilder builder = new(1, 1, 1);
        for (int i = 0; i < 12; i++)
            builder.Dense(1, useBias: false);

        Model model = builder.Build();
        model.LoadKerasWeights(File("newer.weights.h5")).IsComplete.Should().BeTrue();
        model.Parameters.Select(parameter => parameter.Value.Span[0]).Should().Equal(Enumerable.Range(0, 12).Select(i => (float)i));
    }

    [Fact]
    public void Load_WrongNumberOfClassNames_SaysSo()
    {
        Action load = () => KerasFile.Load(File("sequential.keras"), ["a"]);
        load.Should().Throw<ArgumentException>().WithMessage("*4 outputs, but 1 class names*").WithParameterName("classNames");
    }

    [Theory]
    [InlineData("\"Flatten\"", "\"LSTM\"", "layer 'flatten' (LSTM) is of a class that the library has no layer for")]
    [InlineData("\"silu\"", "\"selu\"", "layer 'swish' (Activation) has the activation 'selu'")]
    [InlineData("\"silu\"", "\"softmax\"", "'swish' (Activation) is a softmax in mid-model")]
    [InlineData("\"channels_last\"", "\"channels_first\"", "layer 'first' (Conv2D) must have 'channels_last' as its 'data_format', but has \"channels_first\"")]
    [InlineData("\"filters\": 6", "\"filters\": 0", "filters")]
    [InlineData("\"filters\": 6", "\"filters\": 2000000000", "first")]
    [InlineData("\"filters\": 6", "\"filters\": 7", "variable 'layers/conv2d/vars/0' must be [3, 5, 2, 7], but is [3, 5, 2, 6]")]
    [InlineData("\"units\": 7", "\"units\": 100000000", "dense")]
    [InlineData("\"units\": 7", "\"units\": \"7\"", "layer 'hidden' (Dense) must have a whole number as its 'units', but has \"7\"")]
    [InlineData("\"strides\": [2, 1]", "\"strides\": [2, 1, 1]", "two whole numbers")]
    [InlineData("[null, 9, 8, 2]", "[null, null, 8, 2]", "must have the shape of images")]
    [InlineData("\"axis\": -1", "\"axis\": 1", "channels' axis")]
    [InlineData("\"negative_slope\": 0.0", "\"negative_slope\": 0.3", "'negative_slope'")]
    [InlineData("\"Sequential\"", "\"MyModel\"", "class 'MyModel' is code of its own")]
    [InlineData("\"Rescaling\"", "\"InputLayer\"", "class that the library has no layer for")]
    [InlineData("\"use_bias\": true", "\"use_bias\": 1", "true or false")]
    [InlineData("\"name\": \"first\"", "\"name\": \"normal\"", "taken")]
    [InlineData("{\"module\"", "[{\"module\"", "config.json")]
    public void Load_ChangedSequential_NamesLayerAndReason(string from, string to, string message)
    {
        Action load = () => KerasFile.Load(Changed("sequential.keras", from, to));
        load.Should().Throw<InvalidDataException>().WithMessage("the stream*" + message.Replace("[", "?", StringComparison.Ordinal).Replace("]", "?", StringComparison.Ordinal) + "*");
    }

    [Theory]
    [InlineData("[\"squeeze\", 0, 0]", "[\"nowhere\", 0, 0]", "layer 'reduce' reads 'nowhere', which is not there")]
    [InlineData("[\"squeeze\", 0, 0]", "[\"expand\", 0, 0]", "reads what is made of it")]
    [InlineData("[[\"scores\", 0, 0]]", "[[\"scores\", 0, 0], [\"sum\", 0, 0]]", "one output layer")]
    [InlineData("[[\"scores\", 0, 0]]", "[[\"none\", 0, 0]]", "no output layer 'none'")]
    [InlineData("\"name\": \"deep\"}", "\"name\": \"stem\"}", "")]
    [InlineData("\"target_shape\": [1, 1, 6]", "\"target_shape\": [1, 2, 3]", "target_shape")]
    [InlineData("\"axis\": -1", "\"axis\": 2", "channels' axis")]
    [InlineData("\"negative_slope\": 0.01", "\"negative_slope\": 0.3", "layer 'leak' (LeakyReLU)")]
    [InlineData("\"kwargs\": {}}]", "\"kwargs\": {}}, {\"args\": [], \"kwargs\": {}}]", "is used 2 times, and the library cannot share weights")]
    public void Load_ChangedFunctional_NamesLayerAndReason(string from, string to, string message)
    {
        if (message.Length == 0)
        {
            from = "\"name\": \"deep\", \"inbound_nodes\"";
            to = "\"name\": \"stem\", \"inbound_nodes\"";
            message = "two layers are called 'stem'";
        }

        Action load = () => KerasFile.Load(Changed("functional.keras", from, to));
        load.Should().Throw<InvalidDataException>().WithMessage($"the stream/config.json*{message}*");
    }

    [Fact]
    public void Load_OneOutputWithoutAList_IsTheSame() =>
        Check(KerasFile.Load(Changed("functional.keras", "[[\"scores\", 0, 0]]", "[\"scores\", 0, 0]")), "functional", "outputs", probabilities: false);

    internal static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Files", name);

    /// <summary>The archive with one place of its configuration changed.</summary>
    private static MemoryStream Changed(string file, string from, string to)
    {
        var changed = new MemoryStream();
        using (ZipArchive source = ZipFile.OpenRead(File(file)))
        using (var target = new ZipArchive(changed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (ZipArchiveEntry entry in source.Entries)
            {
                using var contents = new MemoryStream();
                using (Stream stream = entry.Open())
                    stream.CopyTo(contents);

                byte[] bytes = contents.ToArray();
                if (entry.Name == "config.json")
                {
                    string text = Encoding.UTF8.GetString(bytes);
                    int at = text.IndexOf(from, StringComparison.Ordinal);
                    at.Should().BeGreaterThanOrEqualTo(0, "the configuration must have {0}", from);
                    bytes = Encoding.UTF8.GetBytes(text[..at] + to + text[(at + from.Length)..]);
                }

                using Stream written = target.CreateEntry(entry.FullName).Open();
                written.Write(bytes);
            }
        }

        changed.Position = 0;
        return changed;
    }

    private static void Check(Model model, string name, string what, bool probabilities)
    {
        JsonElement expected = JsonDocument.Parse(System.IO.File.ReadAllText(File("expected.json"))).RootElement.GetProperty(name);
        float[] images = Values(expected.GetProperty("images")), outputs = Values(expected.GetProperty(what)), actual = new float[outputs.Length];
        if (probabilities)
            model.PredictProbabilities(images, actual);
        else
            model.Predict(images, actual);

        float largest = outputs.Max(Math.Abs);
        for (int i = 0; i < actual.Length; i++)
            actual[i].Should().BeApproximately(outputs[i], 1e-5f * largest);
    }

    private static float[] Values(JsonElement numbers) => [.. numbers.EnumerateArray().Select(number => number.GetSingle())];

    private static ModelBuilder Sequential() => new ModelBuilder(9, 8, 2)
        .Normalize(scale: 0.25f, mean: 0.5f)
        .Layer(new Conv2D(6, new Size2D(3, 5)) { Stride = new(2, 1) }).BatchNormalization(epsilon: 1e-3f).Activate(Activation.SiLU)
        .DepthwiseConv2D(3, depthMultiplier: 2, dilation: 2, activation: Activation.ReLU6)
        .Conv2D(8, new Size2D(2, 3), padding: Padding.Valid, groups: 2, useBias: false).BatchNormalization(epsilon: 1e-2f).ReLU()
        .SeparableConv2D(5, 3, activation: Activation.Tanh)
        .MaxPool2D(2)
        .Layer(new AveragePool2D(new Size2D(2, 3)) { Stride = new(1, 2), Padding = Padding.Same })
        .Flatten().Dropout(0.5f).Dense(7, activation: Activation.Gelu).Dense(4);
}
