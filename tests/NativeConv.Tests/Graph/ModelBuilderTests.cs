using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Graph;

public sealed class ModelBuilderTests
{
    [Fact]
    public void Build_ArticleNetworks_HaveTheirParameterCounts()
    {
        Networks.Separable.TrainableParameterCount.Should().Be(23_178);
        Networks.Keras.TrainableParameterCount.Should().Be(35_444);
    }

    [Fact]
    public void Layer_KernelBeyondTheImage_NamesLayerAndShapes()
    {
        Action build = () => new ModelBuilder(4, 4, 1).Conv2D(3, 5, padding: Padding.Valid, name: "big");
        build.Should().Throw<ArgumentException>().WithMessage("*'big' cannot take 4x4x1 from 'input'*5x5*");
    }

    [Fact]
    public void Add_OtherShape_NamesLayerAndBothShapes()
    {
        ModelBuilder builder = new ModelBuilder(4, 4, 2);
        Node start = builder.Current;
        Action add = () => builder.Conv2D(3, 3).Add(start);
        add.Should().Throw<ArgumentException>().WithMessage("*'add' cannot take 4x4x3 from 'conv2d' and 4x4x2 from 'input'*");
    }

    [Fact]
    public void Names_Default_AreKindsWithNumbers()
    {
        Model model = new ModelBuilder(8, 8, 1).Conv2D(2, 3).Conv2D(2, 3).Conv2D(2, 3, name: "mine").Flatten().Dense(1).Build();
        model.Parameters.Select(parameter => parameter.Name).Should().Equal(
            "conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias", "mine.kernel", "mine.bias", "dense.kernel", "dense.bias");
        Action twice = () => new ModelBuilder(8, 8, 1).Conv2D(2, 3, name: "a").Conv2D(2, 3, name: "a");
        twice.Should().Throw<ArgumentException>().WithMessage("*'a' is taken*");
    }

    [Fact]
    public void Summary_Network_TellsShapesParametersCostAndReceptiveField()
    {
        string summary = new ModelBuilder(28, 28, 1).Conv2D(8, 3).MaxPool2D(2).DepthwiseConv2D(3, dilation: 2).GlobalAveragePool2D().Dense(10).Build().Summary();
        summary.Should().Contain("28x28x8").And.Contain("14x14x8").And.Contain("1x1x10").And.Contain("80").And.Contain("12x12");
        (28 * 28 * 8 * 9).ToString("N0", System.Globalization.CultureInfo.InvariantCulture).Should().Be("56,448");
        summary.Should().Contain("56,448");
    }

    [Fact]
    public void Summary_SizesThatDifferByAxis_TellsWhatEachAxisSees()
    {
        string summary = new ModelBuilder(40, 50, 1)
            .Layer(new Conv2D(2, new Size2D(3, 2)) { Stride = new Size2D(1, 2), Dilation = new Size2D(2, 3) })
            .Layer(new MaxPool2D(new Size2D(2, 3)))
            .Layer(new DepthwiseConv2D(new Size2D(3, 2)) { Dilation = new Size2D(1, 4) }).Build().Summary();
        summary.Should().MatchRegex(@"\bconv2d .* 5x4 +input").And.MatchRegex(@"\bmax_pool2d .* 6x8 +conv2d").And.MatchRegex(@"\bdepthwise_conv2d .* 10x32 +max_pool2d");
    }

    [Fact]
    public void Pooling_WithoutAStride_TakesWindowsSideBySide()
    {
        new MaxPool2D(new Size2D(2, 3)).Stride.Should().Be(new Size2D(2, 3));
        new AveragePool2D(new Size2D(3, 2)).Stride.Should().Be(new Size2D(3, 2));
    }

    [Fact]
    public void Initializers_Seed_DecidesEveryWeight()
    {
        Model a = Networks.Separable, b = Networks.Separable;
        a.Parameters.SelectMany(p => p.Value.Span.ToArray()).Should().Equal(b.Parameters.SelectMany(p => p.Value.Span.ToArray()));
    }

    [Fact]
    public void Initializers_ReluOrNot_ChooseHeOrGlorot()
    {
        Model model = new ModelBuilder(8, 8, 64).Conv2D(64, 3, useBias: false).BatchNormalization().ReLU().PointwiseConv2D(64).Build(3);
        float[] he = model.Parameter("conv2d.kernel").Value.Span.ToArray(), glorot = model.Parameter("pointwise_conv2d.kernel").Value.Span.ToArray();
        Deviation(he).Should().BeApproximately(Math.Sqrt(2.0 / (9 * 64)), 1e-3);
        double limit = Math.Sqrt(6.0 / 128);
        glorot.Should().OnlyContain(value => Math.Abs(value) <= limit);
        Deviation(glorot).Should().BeApproximately(limit / Math.Sqrt(3), 3e-3);
        model.Parameter("pointwise_conv2d.bias").Value.Span.ToArray().Should().OnlyContain(value => value == 0);

        static double Deviation(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));
    }

    [Fact]
    public void Initializers_EveryLayer_ReachTheLimitOfTheirFans()
    {
        // Fan in and fan out: taps times channels in, and times channels out, of one group; a depthwise channel sees one and makes as many as the multiplier.
        Limit(new DepthwiseConv2D(3) { DepthMultiplier = 4 }, 64, 9, 9 * 4);
        Limit(new DepthwiseConv2D(3), 64, 9, 9);
        Limit(new Conv2D(64, 3) { Groups = 4 }, 32, 9 * 8, 9 * 16);
        Limit(new Conv2D(48, new Size2D(5, 3)), 16, 15 * 16, 15 * 48);
        Limit(new PointwiseConv2D(96), 32, 32, 96);
        Limit(new Dense(24), 16, 36 * 16, 24);

        static void Limit(Layer layer, int channels, int fanIn, int fanOut)
        {
            Model model = new ModelBuilder(6, 6, channels).Layer(layer, "layer").Build(2);
            double limit = Math.Sqrt(6.0 / (fanIn + fanOut)), reached = model.Parameter("layer.kernel").Value.Span.ToArray().Max(Math.Abs);
            reached.Should().BeInRange(limit * 0.98, limit * 1.000001, "{0} has fans {1} and {2}", layer.Kind, fanIn, fanOut);
        }
    }

    [Fact]
    public void Initializers_LayersOfOneShape_HaveWeightsOfTheirOwn()
    {
        Model model = new ModelBuilder(6, 6, 4).Conv2D(4, 3).Conv2D(4, 3).Conv2D(4, 3).Build(2);
        float[][] kernels = [.. model.Parameters.Where(parameter => parameter.Role == ParameterRole.Kernel).Select(parameter => parameter.Value.Span.ToArray())];
        kernels.Should().HaveCount(3);
        for (int i = 0; i < kernels[0].Length; i++)
            kernels.Select(kernel => kernel[i]).Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void Build_DeepGraph_NeedsNoStack()
    {
        var builder = new ModelBuilder(1, 1, 1);
        for (int i = 0; i < 100_000; i++)
            builder.Layer(new ActivationLayer(Activation.Tanh), $"{i}");

        builder.Build().Nodes.Should().HaveCount(100_001);
    }

    [Fact]
    public void Build_GraphOfCountlessPaths_VisitsEachNodeOnce()
    {
        // Each sum reads the two before it, so that the paths are as many as Fibonacci's numbers.
        ModelBuilder builder = new ModelBuilder(2, 2, 3).PointwiseConv2D(3);
        Node one = builder.Current, two = builder.Add(one).Current;
        for (int i = 0; i < 100; i++)
            (one, two) = (two, builder.From(one).Add(two).Current);

        builder.Build().Nodes.Should().HaveCount(103);
    }

    [Fact]
    public void Predict_WrongLength_NamesWhatIsExpected()
    {
        Model model = new ModelBuilder(4, 4, 1).Flatten().Dense(2).Build();
        Action images = () => model.Predict(new float[17], new float[2]);
        images.Should().Throw<ArgumentException>().WithMessage("*4x4x1 hold 16 values each, but 17*");
        Action outputs = () => model.Predict(new float[16], new float[3]);
        outputs.Should().Throw<ArgumentException>().WithMessage("*1 x 2 values*3*");
    }

    [Fact]
    public void BatchNormalization_OneValueAChannel_IsRefusedInTraining()
    {
        Model model = new ModelBuilder(1, 1, 3).BatchNormalization().Dense(2).Build();
        Action step = () => model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 1).Step([1, 2, 3], [0]);
        step.Should().Throw<ArgumentException>().WithMessage("*more than one value*");
    }

    private static class Networks
    {
        public static Model Separable => new ModelBuilder(28, 28, 1)
            .Conv2D(32, 3, useBias: false).BatchNormalization().ReLU()
            .SeparableConv2D(64, 3, activation: Activation.ReLU, batchNormalization: true).MaxPool2D(2)
            .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
            .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true).MaxPool2D(2)
            .SeparableConv2D(128, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
            .GlobalAveragePool2D().Dense(10).Build(1);

        public static Model Keras => new ModelBuilder(28, 28, 1)
            .DepthwiseConv2D(3).Conv2D(64, 3, dilation: 2).MaxPool2D(2).DepthwiseConv2D(3).Conv2D(32, 3, dilation: 2).MaxPool2D(2).Flatten().Dense(10).Build(1);
    }
}
