using FluentAssertions;
using Xunit;
using static NativeConv.PublicApi.Tests.Onnx.OnnxBytes;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>Graphs as exporters other than this library's write them, and such as nobody should.</summary>
public sealed class OnnxImportTests
{
    private static readonly byte[] X = Input("x", 0, 2, 4, 4), Y = Output("y");

    [Fact]
    public void LoadOnnx_ChannelsLastInput_AbsorbsTheTranspositions()
    {
        // As TensorFlow's exporters write: images enter and are flattened as [N, H, W, C], and are [N, C, H, W] between.
        Model model = Model.LoadOnnx(Graph(
            Input("x", 0, 4, 5, 2), Weights("half", 1), Weights("w", 3, 2, 1, 1), Weights("bias", 3, 1, 1), Sizes("s", -1, 60), Weights("m", 60, 2), Weights("b", 1, 2),
            Node("Mul", ["x", "half"], ["a"]), Node("Transpose", ["a"], ["t"], ("perm", (long[])[0, 3, 1, 2])), Node("Conv", ["t", "w"], ["c"]),
            Node("Add", ["c", "bias"], ["d"]), Node("Relu", ["d"], ["e"]), Node("Transpose", ["e"], ["f"], ("perm", (long[])[0, 2, 3, 1])), Node("Reshape", ["f", "s"], ["g"]),
            Node("MatMul", ["g", "m"], ["h"]), Node("Add", ["b", "h"], ["y"])));
        model.InputShape.Should().Be(new ImageShape(4, 5, 2));
        Kinds(model).Should().Equal("input", "normalize", "pointwise_conv2d", "activation", "flatten", "dense");
        Values(model, 1).Should().Equal([1, 3, 5, 2, 4, 6], "the kernel [O, I] became [I, O]");
        model.Parameters[^2].Value.Span.ToArray().Should().Equal(Enumerable.Range(1, 120).Select(i => (float)i), "rows in height, width, channel order stay");
        Values(model, 5, "bias").Should().Equal(1, 2);
    }

    [Fact]
    public void LoadOnnx_JoinedFlattenedImages_PermuteTheMatrix()
    {
        Model model = Model.LoadOnnx(Graph(
            X, Weights("m", 1, 64), Node("Tanh", ["x"], ["t"]), Node("Flatten", ["x"], ["a"]), Node("Flatten", ["t"], ["b"]), Node("Concat", ["b", "a"], ["c"], ("axis", -1L)),
            Node("Gemm", ["c", "m"], ["y"], ("transB", 1L), ("alpha", 2f))));
        float[] images = OnnxData.Images(model, 1, seed: 1), first = OnnxData.ToChannelsFirst(images, model.InputShape);
        double expected = first.Select(MathF.Tanh).Concat(first).Select((value, i) => 2.0 * (i + 1) * value).Sum();
        OnnxData.Predict(model, images)[0].Should().BeApproximately((float)expected, 1e-3f);
    }

    [Fact]
    public void LoadOnnx_NormalizationOfAFlattenedImage_PermutesItsValues()
    {
        Model model = Model.LoadOnnx(Graph(
            Input("x", 0, 2, 1, 2), Weights("s", 4), Weights("m", 4, 1), Node("Flatten", ["x"], ["f"]), Node("BatchNormalization", ["f", "s", "s", "s", "s"], ["n"]),
            Node("MatMul", ["n", "m"], ["y"])));
        model.Parameters[0].Value.Span.ToArray().Should().Equal(1, 3, 2, 4);
    }

    [Fact]
    public void LoadOnnx_ConstantsAroundTheInput_BecomeOneNormalization()
    {
        Model model = Model.LoadOnnx(Graph(
            X, Message(5, Tensor("scale", [4], 1)), Message(5, Tensor("mean", [0.5f])), Message(5, Tensor("deviation", [0.25f], 1, 1, 1, 1)), Node("Div", ["x", "scale"], ["a"]),
            Node("Sub", ["a", "mean"], ["b"]), Node("Div", ["b", "deviation"], ["y"])));
        Kinds(model).Should().Equal("input", "normalize");
        OnnxData.Predict(model, [.. Enumerable.Repeat(3f, 32)]).Should().AllSatisfy(value => value.Should().Be(1));
    }

    [Theory]
    [InlineData("Add", 1, 2, 3)]
    [InlineData("Sub", 1, 0, -1)]
    [InlineData("Mul", 1, 1, 2)]
    [InlineData("Div", 1, 1, 0.5)]
    public void LoadOnnx_OneConstantAChannel_IsOneCellDepthwise(string type, float x, float first, float second)
    {
        Model model = Model.LoadOnnx(Graph(X, Weights("c", 2, 1, 1), Node(type, ["x", "c"], ["y"])));
        Kinds(model).Should().Equal("input", "depthwise_conv2d");
        OnnxData.Predict(model, [.. Enumerable.Repeat(x, 32)]).Take(2).Should().Equal(first, second);
    }

    [Theory]
    [InlineData("VALID", 3, 1, 1)]
    [InlineData("SAME_UPPER", 2, 2, 2)]
    [InlineData("SAME_LOWER", 2, 2, 2)]
    [InlineData("NOTSET", 3, 1, 1)]
    public void LoadOnnx_AutoPad_DecidesTheOutput(string mode, int kernel, int height, int width)
    {
        Model model = Model.LoadOnnx(Graph(
            X, Weights("w", 1, 2, kernel, kernel), Node("Conv", ["x", "w"], ["y"], ("auto_pad", mode), ("strides", (long[])[2, 2]), ("dilations", (long[])[1, 1]))));
        model.OutputShape.Should().Be(new ImageShape(height, width, 1));
    }

    [Fact]
    public void LoadOnnx_SameLower_PutsTheOddCellFirst()
    {
        Model model = Model.LoadOnnx(Graph(
            Input("x", 0, 1, 1, 3), Message(5, Tensor("w", [10, 1], 1, 1, 1, 2)), Node("Conv", ["x", "w"], ["y"], ("auto_pad", "SAME_LOWER"))));
        OnnxData.Predict(model, [1, 2, 3]).Should().Equal(1, 12, 23);
    }

    [Theory]
    [InlineData(2, 0, 2)]
    [InlineData(3, 0, 2)]
    [InlineData(4, 1, 1)]
    public void LoadOnnx_PoolingThatRoundsUp_DropsWindowsOfPaddingAlone(int stride, int after, int expected)
    {
        Model model = Model.LoadOnnx(Graph(
            X, Node("MaxPool", ["x"], ["y"], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[stride, stride]), ("pads", (long[])[0, 0, after, after]), ("ceil_mode", 1L))));
        model.OutputShape.Should().Be(new ImageShape(expected, expected, 2));
    }

    [Fact]
    public void LoadOnnx_Activations_AreWhatTheirOperatorsSay()
    {
        (string Type, (string Name, object Value)[] Settings, Activation Function)[] cases =
        [
            ("Relu", [], Activation.ReLU), ("Clip", [("min", 0f), ("max", 6f)], Activation.ReLU6), ("Clip", [("min", 0f)], Activation.ReLU),
            ("LeakyRelu", [], Activation.LeakyReLU), ("Elu", [], Activation.Elu), ("Sigmoid", [], Activation.Sigmoid), ("Tanh", [], Activation.Tanh),
            ("HardSwish", [], Activation.HardSwish), ("HardSigmoid", [("alpha", 1 / 6f)], Activation.HardSigmoid), ("Gelu", [], Activation.Gelu),
        ];
        foreach ((string type, (string, object)[] settings, Activation function) in cases)
            Functions(Model.LoadOnnx(Graph(X, Node(type, ["x"], ["y"], settings)))).Should().Equal(function);
    }

    [Fact]
    public void LoadOnnx_GateBeforeTheImage_IsTheSameProduct()
    {
        Model model = Model.LoadOnnx(Graph(X, Node("GlobalAveragePool", ["x"], ["g"]), Node("Mul", ["g", "x"], ["y"])));
        OnnxData.Predict(model, [.. Enumerable.Repeat(3f, 32)]).Should().AllSatisfy(value => value.Should().Be(9));
    }

    [Fact]
    public void LoadOnnx_SpelledActivationThatIsReadInside_StaysAsItIs()
    {
        Model model = Model.LoadOnnx(Graph(X, Node("Sigmoid", ["x"], ["s"]), Node("Mul", ["x", "s"], ["m"]), Node("Add", ["m", "s"], ["y"])));
        Kinds(model).Should().Equal("input", "activation", "multiply", "add");
        Functions(model).Should().Equal(Activation.Sigmoid);
    }

    [Fact]
    public void LoadOnnx_SpelledActivationAfterAConvolution_KeepsItsOwnConstants()
    {
        // The 3 that hard-sigmoid adds could be the bias that the convolution has not.
        Model model = Model.LoadOnnx(Graph(
            Input("x", 0, 1, 2, 2), Weights("w", 1, 1, 1, 1), Message(5, Tensor("three", [3], 1, 1, 1, 1)), Message(5, Tensor("six", [6])), Node("Conv", ["x", "w"], ["c"]),
            Node("Add", ["c", "three"], ["a"]), Node("Clip", ["a"], ["l"], ("min", 0f), ("max", 6f)), Node("Div", ["l", "six"], ["y"])));
        Kinds(model).Should().Equal("input", "pointwise_conv2d", "activation");
        Functions(model).Should().Equal(Activation.HardSigmoid);
        model.Parameters.Should().ContainSingle("there is no bias");
    }

    [Theory]
    [InlineData(0, -1)]
    [InlineData(-1, 32)]
    [InlineData(0, 32)]
    [InlineData(3, -1)]
    public void LoadOnnx_ReshapeToVectors_IsFlatten(long batch, long length)
    {
        Model model = Model.LoadOnnx(Graph(
            Input("x", 3, 2, 4, 4), Weights("m", 32, 1), Sizes("s", batch, length), Node("Reshape", ["x", "s"], ["f"]), Node("MatMul", ["f", "m"], ["y"])));
        Kinds(model).Should().Equal("input", "flatten", "dense");
    }

    [Fact]
    public void LoadOnnx_NodesWithOneName_GetNamesOfTheirOwn()
    {
        Model model = Model.LoadOnnx(Graph(X, Node("Relu", ["x"], ["a"]), Node("Tanh", ["a"], ["b"]), Node("Relu", ["b"], ["y"])));
        model.Nodes.Select(node => node.Name).Should().Equal("input", "it", "it_1", "it_2");
    }

    [Fact]
    public void LoadOnnx_PathStreamOrBytes_AreTheSame()
    {
        byte[] file = Graph(X, Node("Relu", ["x"], ["y"]));
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, file);
            Kinds(Model.LoadOnnx(path)).Should().Equal("input", "activation");
            File.WriteAllBytes(path, file[..^1]);
            Action load = () => Model.LoadOnnx(path);
            load.Should().Throw<InvalidDataException>().WithMessage($"{path}, byte *");
        }
        finally
        {
            File.Delete(path);
        }

        using var stream = new MemoryStream(file);
        Kinds(Model.LoadOnnx(stream)).Should().Equal("input", "activation");
        stream.CanRead.Should().BeTrue("the stream is the caller's");
    }

    [Fact]
    public void LoadOnnx_LongChain_TakesNoStack()
    {
        const int Length = 50_000;
        byte[][] nodes = [.. Enumerable.Range(0, Length).Select(i => Node("Relu", [i == 0 ? "x" : $"{i}"], [i == Length - 1 ? "y" : $"{i + 1}"]))];
        Model.LoadOnnx(Graph([X, .. nodes])).Nodes.Should().HaveCount(Length + 1);
    }

    [Fact]
    public void LoadOnnx_WeightSharedWithoutEnd_IsRefused()
    {
        Model.LoadOnnx(Squares(8)).TrainableParameterCount.Should().Be(8 * 128 * 128);
        Action load = () => Model.LoadOnnx(Squares(1000));
        load.Should().Throw<InvalidDataException>().WithMessage("*more than 16 times the file's size*");

        static byte[] Squares(int count) => Graph(
        [
            Input("0", 0, 128), Weights("w", 128, 128),
            .. Enumerable.Range(0, count).Select(i => Node("MatMul", [$"{i}", "w"], [i == count - 1 ? "y" : $"{i + 1}"])),
        ]);
    }

    [Theory]
    [InlineData("Sizes")]
    [InlineData("Parts")]
    public void LoadOnnx_ListsThatDoubleThemselves_AreRefused(string list)
    {
        byte[][] nodes = [.. Enumerable.Range(0, 40).Select(i => Node("Concat", [$"{i}", $"{i}"], [$"{i + 1}"], ("axis", list == "Sizes" ? 0L : 1L)))];
        Action load = () => Model.LoadOnnx(Graph([X, Node(list == "Sizes" ? "Shape" : "Flatten", ["x"], ["0"]), .. nodes, Node("Relu", ["40"], ["y"])]));
        load.Should().Throw<InvalidDataException>().WithMessage(list == "Sizes" ? "*at most 8 sizes*" : "*more than 64 flattened*");
    }

    private static byte[] Graph(params byte[][] fields) => OnnxBytes.Model([.. fields, Y]);

    private static IEnumerable<string> Kinds(Model model) => model.Nodes.Select(node => node.Layer.Kind);

    private static IEnumerable<Activation> Functions(Model model) => model.Nodes.Select(node => node.Layer).OfType<ActivationLayer>().Select(layer => layer.Function);

    private static float[] Values(Model model, int skippedNodes, string parameter = "kernel") =>
        model.Parameter($"{model.Nodes.Skip(skippedNodes).First(node => node.Layer.Parameters([.. node.Inputs.Select(input => input.Shape)]).Count > 0).Name}.{parameter}")
            .Value.Span.ToArray();
}
