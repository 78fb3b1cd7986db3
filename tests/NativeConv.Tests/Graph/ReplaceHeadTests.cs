using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

public sealed class ReplaceHeadTests
{
    [Fact]
    public void ReplaceHead_OfADense_CopiesTheRestAndStartsTheHeadAnew()
    {
        Model model = EveryLayer.Build(seed: 4);
        foreach (Parameter parameter in model.Parameters)
            TestData.Uniform(parameter.Value.Length, 7).CopyTo(parameter.Value.Span);

        model.Execution = new() { ThreadCount = 1 };
        model.Freeze("conv2d*", "dense_1");
        float[] before = Values(model);
        Model other = model.ReplaceHead(["p", "q", "r", "s", "t"], seed: 11);
        Values(model).Should().Equal(before, "the model itself is left alone");
        other.OutputShape.Should().Be(new ImageShape(1, 1, 5));
        other.ClassNames.Should().Equal("p", "q", "r", "s", "t");
        other.Execution.Should().BeSameAs(model.Execution);
        other.FrozenLayers.Should().Equal(model.FrozenLayers.Except(["dense_1"]));
        other.Nodes.Select(node => node.Name).Should().Equal(model.Nodes.Select(node => node.Name));
        foreach (Parameter parameter in other.Parameters.Where(parameter => !parameter.Name.StartsWith("dense_1.", StringComparison.Ordinal)))
            parameter.Value.Span.ToArray().Should().Equal(model.Parameter(parameter.Name).Value.Span.ToArray(), parameter.Name);

        other.Parameter("dense_1.kernel").Value.Span.ToArray().Should().Equal(EveryLayer.Build(seed: 4).ReplaceHead(5, 11).Parameter("dense_1.kernel").Value.Span.ToArray())
            .And.NotEqual(model.ReplaceHead(5, 12).Parameter("dense_1.kernel").Value.Span.ToArray());
        other.Parameter("dense_1.bias").Value.Span.ToArray().Should().OnlyContain(value => value == 0);

        // It is a model like any other: it trains, and comes back from its file.
        other.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 4).Step(TestData.Uniform(4 * other.InputShape.Length, 1), [0, 1, 4, 2]).Loss.Should().BePositive();
        using var file = new MemoryStream();
        other.Save(file);
        var loaded = Model.Load(file.ToArray());
        Values(loaded).Should().Equal(Values(other));
        loaded.FrozenLayers.Should().BeEmpty("a file does not say what was frozen");
    }

    [Fact]
    public void ReplaceHead_BehindWhichLayersWithoutParametersStand_KeepsThem()
    {
        Model point = new ModelBuilder(6, 6, 2).Conv2D(4, 3).PointwiseConv2D(3, useBias: false, name: "head").GlobalAveragePool2D().Activate(Activation.Tanh).Dropout(0.1f).Build(1);
        Model other = point.ReplaceHead(7);
        other.OutputShape.Length.Should().Be(7);
        other.ClassNames.Should().BeEmpty();
        other.Parameter("head.kernel").Shape.Should().Be(new TensorShape(1, 1, 4, 7));
        other.Parameters.Should().HaveCount(3, "the head has no bias");

        Model convolution = new ModelBuilder(6, 6, 2).Conv2D(3, 6, padding: Padding.Valid).Flatten().Build(1);
        convolution.ReplaceHead(2).Parameter("conv2d.kernel").Shape.Should().Be(new TensorShape(6, 6, 2, 2));
    }

    [Fact]
    public void ReplaceHead_ThatDoesNotFit_SaysWhatThereIs()
    {
        Refused(new ModelBuilder(6, 6, 2).Conv2D(4, 3).BatchNormalization().GlobalAveragePool2D().Build(), "*ends in 'batch_normalization', batch_normalization*");
        Refused(new ModelBuilder(6, 6, 2).DepthwiseConv2D(3).Flatten().Build(), "*ends in 'depthwise_conv2d', depthwise_conv2d*");
        Refused(new ModelBuilder(6, 6, 2).Conv2D(4, 3, groups: 2).GlobalAveragePool2D().Build(), "*ends in 'conv2d', conv2d*");
        ModelBuilder sum = new ModelBuilder(6, 6, 2).Flatten();
        Node start = sum.Current;
        Refused(sum.Dense(72).Add(start).Build(), "*ends in 'add', add*");
        Refused(new ModelBuilder(6, 6, 2).Flatten().Build(), "*ends in 'input', input*");
        Refused(new ModelBuilder(6, 6, 2).Conv2D(4, 3).Flatten().Build(), "*'conv2d' gives each class more than one output, 1x1x180 for 5 classes*");
        Action none = () => EveryLayer.Build(1).ReplaceHead(0), noNames = () => EveryLayer.Build(1).ReplaceHead([]);
        none.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("classes");
        noNames.Should().Throw<ArgumentOutOfRangeException>();

        static void Refused(Model model, string message)
        {
            Action replace = () => model.ReplaceHead(5);
            replace.Should().Throw<InvalidOperationException>().WithMessage(message);
        }
    }

    [Fact]
    public void CloneUntrained_StartsAsTheBuilderDoes()
    {
        Model model = EveryLayer.Build(seed: 4);
        float[] expected = Values(model);
        model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), 4).Step(TestData.Uniform(4 * model.InputShape.Length, 1), [0, 1, 2, 2]);
        model.Freeze("conv2d");
        Model again = model.CloneUntrained(seed: 4);
        Values(again).Should().Equal(expected);
        again.FrozenLayers.Should().BeEmpty();
        again.ClassNames.Should().Equal(model.ClassNames);
        Values(model.CloneUntrained(seed: 5)).Should().NotEqual(expected);
    }

    private static float[] Values(Model model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
}
