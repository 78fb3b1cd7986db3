using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Layers;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>What a plan decides to be sparse, or to be done in one sweep, which changes no bit and so shows in no result.</summary>
public sealed class FusionTests
{
    [Fact]
    public void MarkSparseGradients_BehindAPooling_ThroughActivationAndDropout() =>
        Marked(Input().Conv2D(16, 3).Conv2D(16, 3).ReLU().Dropout(0.5f).MaxPool2D(2)).Should().Equal("conv2d_1");

    [Fact]
    public void MarkSparseGradients_NothingBetween_MarksTheLayerItself() => Marked(Input().PointwiseConv2D(16).MaxPool2D(new Size2D(2, 3))).Should().Equal("pointwise_conv2d");

    [Fact]
    public void MarkSparseGradients_WindowsOfTwoCells_MarkNothing() => Marked(Input().Conv2D(16, 3).MaxPool2D(new Size2D(1, 2))).Should().BeEmpty();

    [Fact]
    public void MarkSparseGradients_WindowsThatOverlap_MarkNothing() => Marked(Input().Conv2D(16, 3).MaxPool2D(3, stride: 2)).Should().BeEmpty();

    [Fact]
    public void MarkSparseGradients_AReaderBeside_MarksNothing() => Marked(ReadTwice()).Should().BeEmpty();

    [Fact]
    public void HandGradientsToConvolutions_OfFewChannelsBehindACoveringPooling() => Handed(Input().Conv2D(16, 3).MaxPool2D(2)).Should().Equal("conv2d");

    [Fact]
    public void HandGradientsToConvolutions_APoolingThatLeavesARowOut_GetsNone() => Handed(new ModelBuilder(13, 12, 2).Conv2D(16, 3).MaxPool2D(2)).Should().BeEmpty();

    [Fact]
    public void HandGradientsToConvolutions_AReaderBeside_GetsNone() => Handed(ReadTwice()).Should().BeEmpty();

    [Fact]
    public void HandGradientsToConvolutions_AnActivationsBackwardOfItsOwn_GetsNone() => Handed(Input().Conv2D(16, 3).MaxPool2D(2), Activation.ReLU).Should().BeEmpty();

    [Theory]
    [InlineData(Activation.Linear)]
    [InlineData(Activation.ReLU)]
    [InlineData(Activation.ReLU6)]
    public void PoolBeforeNormalizing_NormalizationsBehindWhichAPoolingCoversTheImage(Activation function) =>
        Pooling(Input().Conv2D(16, 3).BatchNormalization().Activate(function).MaxPool2D(2)).Should().Equal("batch_normalization");

    [Fact]
    public void PoolBeforeNormalizing_APoolingThatLeavesARowOut_IsNone() => Pooling(new ModelBuilder(13, 12, 2).BatchNormalization().MaxPool2D(2)).Should().BeEmpty();

    [Fact]
    public void PoolBeforeNormalizing_WindowsOfOtherSizes_AreNone() => Pooling(Input().BatchNormalization().MaxPool2D(3)).Should().BeEmpty();

    [Fact]
    public void PoolBeforeNormalizing_AFunctionThatFallsToo_IsNone() => Pooling(Input().BatchNormalization().Activate(Activation.Gelu).MaxPool2D(2)).Should().BeEmpty();

    [Fact]
    public void PoolBeforeNormalizing_RunningStatistics_AreNone() => Pooling(Input().BatchNormalization().MaxPool2D(2), isFrozen: true).Should().BeEmpty();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PoolBeforeNormalizing_AReaderBeside_IsNone(bool behindActivation)
    {
        ModelBuilder builder = Input().BatchNormalization();
        if (behindActivation)
            builder.ReLU();

        Node read = builder.Current;
        builder.MaxPool2D(2);
        Node pooled = builder.Current;
        Pooling(builder.From(read).AveragePool2D(2).Add(pooled)).Should().BeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ConvolutionsThatAreMarked_LeaveZerosOut(bool isMarked)
    {
        foreach (Layer layer in (Layer[])[new Conv2D(16, 3), new PointwiseConv2D(16)])
        {
            NodeBinding binding = Binding(new(6, 6, 16), new(6, 6, 16));
            binding.IsGradientSparse = isMarked;
            layer.CreateProgram<V256>(binding).IsKernelGradientTransposed.Should().Be(isMarked, layer.Kind);
        }
    }

    [Theory]
    [InlineData(Activation.ReLU)]
    [InlineData(Activation.ReLU6)]
    public void ARectifierInAConvolution_TrainsToTheBitsOfALayerOfItsOwn(Activation activation)
    {
        Model fused = Rectified(), apart = Rectified(Activation.Linear);
        fused.Plan(Loss.SoftmaxCrossEntropy(), 7).ToString().Should().Contain($"conv2d[{activation}] depthwise").And.Contain($"conv2d'[{activation}]");
        apart.Plan(Loss.SoftmaxCrossEntropy(), 7).ToString().Should().NotContain($"[{activation}]");
        // Outputs below 0, above 6 and between.
        foreach (ref float weight in fused.Parameters[0].Value.Span)
            weight *= 20;

        for (int i = 0; i < fused.Parameters.Count; i++)
            fused.Parameters[i].Value.Span.CopyTo(apart.Parameters[i].Value.Span);

        Train(fused).Should().Equal(Train(apart));

        Model Rectified(params Activation[] between)
        {
            ModelBuilder builder = new(12, 12, 1);
            foreach (Layer layer in (Layer[])[new Conv2D(20, 3), new DepthwiseConv2D(3), new PointwiseConv2D(32), new DepthwiseConv2D(5) { Stride = 2 }, new PointwiseConv2D(1), new Conv2D(9, 3)])
            {
                builder.Layer(layer);
                foreach (Activation function in (Activation[])[.. between, activation])
                    builder.Layer(new ActivationLayer(function));
            }

            return builder.MaxPool2D(2).Flatten().Dense(3).Build(seed: 6);
        }

        static float[] Train(Model model)
        {
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.02f), 7);
            for (int step = 0; step < 4; step++)
                session.Step(Support.TestData.Uniform(7 * model.InputShape.Length, 3), Support.TestData.Labels(7, 3, 4));

            return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
        }
    }

    private static ModelBuilder Input() => new(12, 12, 2);

    /// <summary>A convolution that a max-pooling and another pooling read.</summary>
    private static ModelBuilder ReadTwice()
    {
        ModelBuilder builder = Input().Conv2D(16, 3);
        Node convolution = builder.Current;
        builder.MaxPool2D(2);
        Node pooled = builder.Current;
        return builder.From(convolution).AveragePool2D(2).Add(pooled);
    }

    private static NodeBinding Binding(ImageShape input, ImageShape output, bool isTrained = true) => new()
    {
        InputShapes = [input], OutputShape = output, BatchSize = 1, Training = true, HasBackward = true, NodeIndex = 0, ParametersTrainable = isTrained,
    };

    /// <summary>The names of the normalizations that pool.</summary>
    private static IEnumerable<string> Pooling(ModelBuilder builder, bool isFrozen = false)
    {
        Model model = builder.Flatten().Dense(2).Build(seed: 1);
        NodeBinding[] bindings = [.. model.Nodes.Select(node => Binding(model.InputShape, node.Shape, isTrained: !isFrozen))];
        Fusion.FuseActivations(model.Nodes, bindings);
        Fusion.PoolBeforeNormalizing(model.Nodes, bindings);
        model.Nodes.Where(node => bindings[node.Index].IsGradientHandedOn).Select(node => node.Layer.Kind).Should().BeSubsetOf(["max_pool2d"]);
        return model.Nodes.Where(node => bindings[node.Index].Pooling != null).Select(node => node.Name);
    }

    /// <summary>The names of the convolutions that are marked.</summary>
    private static IEnumerable<string> Marked(ModelBuilder builder)
    {
        Model model = builder.Flatten().Dense(2).Build(seed: 1);
        NodeBinding[] bindings = [.. model.Nodes.Select(node => Binding(model.InputShape, node.Shape))];
        Fusion.MarkSparseGradients(model.Nodes, bindings);
        return model.Nodes.Where(node => bindings[node.Index].IsGradientSparse).Select(node => node.Name);
    }

    /// <summary>The names of the convolutions, whose own backward is through an activation, that are handed a pooling's gradient.</summary>
    private static IEnumerable<string> Handed(ModelBuilder builder, Activation own = Activation.Linear)
    {
        Model model = builder.Flatten().Dense(2).Build(seed: 1);
        NodeBinding[] bindings = [.. model.Nodes.Select(node => Binding(model.InputShape, node.Shape))];
        foreach (Node node in model.Nodes.Where(node => node.Layer.IsConvolution))
            bindings[node.Index].BackwardActivation = own;

        Fusion.HandGradientsToConvolutions(model.Nodes, bindings);
        return model.Nodes.Where(node => bindings[node.Index].Pooling != null).Select(node => node.Name);
    }
}
