using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Layers;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>What a plan decides to be sparse, which changes no bit and so shows in no result.</summary>
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
    public void MarkSparseGradients_AReaderBeside_MarksNothing()
    {
        ModelBuilder builder = Input().Conv2D(16, 3);
        Node convolution = builder.Current;
        builder.MaxPool2D(2);
        Node pooled = builder.Current;
        Marked(builder.From(convolution).AveragePool2D(2).Add(pooled)).Should().BeEmpty();
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

    private static ModelBuilder Input() => new(12, 12, 2);

    private static NodeBinding Binding(ImageShape input, ImageShape output) => new()
    {
        InputShapes = [input], OutputShape = output, BatchSize = 1, Training = true, HasBackward = true, NodeIndex = 0, ParametersTrainable = true,
    };

    /// <summary>The names of the convolutions that are marked.</summary>
    private static IEnumerable<string> Marked(ModelBuilder builder)
    {
        Model model = builder.Flatten().Dense(2).Build(seed: 1);
        NodeBinding[] bindings = [.. model.Nodes.Select(node => Binding(model.InputShape, node.Shape))];
        Fusion.MarkSparseGradients(model.Nodes, bindings);
        return model.Nodes.Where(node => bindings[node.Index].IsGradientSparse).Select(node => node.Name);
    }
}
