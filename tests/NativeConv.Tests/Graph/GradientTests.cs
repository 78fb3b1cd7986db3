using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;
using Xunit.Sdk;

namespace NativeConv.Tests.Graph;

/// <summary>Float32 gradients of whole graphs against central differences of the double-precision oracle.</summary>
public sealed class GradientTests
{
    private const int Images = 3;

    public static TheoryData<Activation> Activations => [.. Enum.GetValues<Activation>().Where(function => function != Activation.Linear)];

    [Fact]
    public void EveryLayer_EveryParameter_AgreesWithDifferences() => Check(EveryLayer.Build(seed: 9));

    [Theory]
    [MemberData(nameof(Activations))]
    public void Activation_Gradients_AgreeWithDifferences(Activation function) =>
        Check(new ModelBuilder(3, 4, 2).Conv2D(5, 2, activation: function).Flatten().Dense(3, activation: function).Build(2));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(3, 2)]
    [InlineData(5, 20)]
    [InlineData(17, 1)]
    public void Depthwise_Multipliers_AgreeWithDifferences(int channels, int multiplier) =>
        Check(new ModelBuilder(7, 5, channels)
            .DepthwiseConv2D(new Size2D(3, 2), multiplier, stride: 2, dilation: 2, padding: Padding.Explicit(1, 2, 3, 0)).Flatten().Dense(2).Build(4));

    [Fact]
    public void OneNode_ReadByMany_GathersEveryGradient()
    {
        ModelBuilder builder = new ModelBuilder(4, 4, 1).Conv2D(4, 3);
        Node start = builder.Current;
        builder.ReLU();
        Node left = builder.Current;
        builder.From(start).Activate(Activation.Tanh).Add(start, left).Multiply(left).Concat(start, left);
        Check(builder.Flatten().Dense(3).Build(6));
    }

    [Fact]
    public void WideDense_WithSlicedGradient_AgreesWithDifferences() =>
        Check(new ModelBuilder(6, 6, 20).Flatten().Dense(40, activation: Activation.Tanh).Dense(3).Build(8));

    /// <summary>Weights of more than the images that share them, in two layers that read one tensor.</summary>
    [Fact]
    public void LargeDenseLayers_ThatReadOneTensor_AgreeWithDifferences()
    {
        ModelBuilder builder = new ModelBuilder(5, 5, 2).PointwiseConv2D(20).Flatten();
        Node start = builder.Current;
        builder.Dense(70);
        Node left = builder.Current;
        Check(builder.From(start).Dense(71).Concat(left).Activate(Activation.Tanh).Dense(3).Build(8));
    }

    /// <summary>Few channels to whole vectors of outputs: gradients come from the pooling's, and its winners.</summary>
    [Theory]
    [InlineData(1, 3, 1, 1, Activation.Linear)]
    [InlineData(1, 3, 1, 2, Activation.ReLU)]
    [InlineData(2, 3, 1, 3, Activation.ReLU6)]
    [InlineData(4, 2, 1, 2, Activation.ReLU)]
    [InlineData(3, 3, 2, 1, Activation.Linear)]
    [InlineData(1, 5, 3, 2, Activation.ReLU)]
    [InlineData(1, 7, 1, 1, Activation.ReLU)]
    public void FewChannelsBeforeMaxPooling_AgreesWithDifferences(int channels, int kernel, int stride, int dilation, Activation function)
    {
        Model model = new ModelBuilder(12, 12, 2).Conv2D(channels, 1).Conv2D(16, kernel, stride, dilation, padding: Padding.Same, activation: function).MaxPool2D(2).Flatten().Dense(2).Build(7);
        model.Plan(Loss.SoftmaxCrossEntropy(), 3).ToString().Should().Contain("max_pool2d'" + (function == Activation.Linear ? "" : $"[{function}]") + "+conv2d_1'");
        Check(model);
    }

    /// <summary>A barrier between the pooling's backward and the convolution's, behind which the pooling's gradient is worked out again.</summary>
    [Fact]
    public void FewChannelsBeforeMaxPooling_WhoseGradientIsWorkedOutAgain_AgreeWithDifferences()
    {
        ModelBuilder builder = new ModelBuilder(8, 8, 2).Conv2D(1, 1);
        Node start = builder.Current;
        builder.Conv2D(16, 3);
        Node convolution = builder.Current;
        builder.From(start).Conv2D(4, 3).BatchNormalization().GlobalAveragePool2D();
        Node other = builder.Current;
        Model model = builder.From(convolution).ReLU().MaxPool2D(2).GlobalAveragePool2D().Concat(other).Dense(2).Build(7);
        model.Plan(Loss.SoftmaxCrossEntropy(), 3).ToString().Should().Contain("max_pool2d'[ReLU]+").And.Contain("(global_average_pool2d");
        Check(model, vanishing: 0.01);
    }

    [Fact]
    public void OneChannelToManyBeforeMaxPooling_AgreesWithDifferences()
    {
        Model model = new ModelBuilder(6, 10, 1).Conv2D(1, 3).DepthwiseConv2D(3, depthMultiplier: 32).MaxPool2D(2).Flatten().Dense(2).Build(7);
        model.Plan(Loss.SoftmaxCrossEntropy(), 3).ToString().Should().Contain("max_pool2d'+depthwise_conv2d'");
        Check(model);
    }

    [Fact]
    public void Normalization_InTheMiddle_PassesItsGradientOn() =>
        Check(new ModelBuilder(3, 4, 2).PointwiseConv2D(3).Normalize(scale: 0.5f, mean: 0.1f, deviation: 2).Flatten().Dense(2).Build(5));

    /// <summary>Enough channels that the convolution leaves out what the pooling made zero, behind an activation and not.</summary>
    [Theory]
    [InlineData(Activation.Linear)]
    [InlineData(Activation.Tanh)]
    public void ConvolutionBeforeMaxPooling_AgreesWithDifferences(Activation function) =>
        Check(new ModelBuilder(5, 6, 2).PointwiseConv2D(16).Conv2D(17, 3, dilation: 2, activation: function).MaxPool2D(2).Flatten().Dense(2).Build(7));

    /// <summary>Sums and gradients of what won alone, also where gamma turns the order around.</summary>
    [Theory]
    [InlineData(Activation.Linear)]
    [InlineData(Activation.ReLU)]
    [InlineData(Activation.ReLU6)]
    public void NormalizationBeforeMaxPooling_AgreesWithDifferences(Activation function)
    {
        Model model = new ModelBuilder(4, 6, 2).Conv2D(5, 3, useBias: false).BatchNormalization().Activate(function).MaxPool2D(2).Flatten().Dense(2).Build(7);
        model.Plan(Loss.SoftmaxCrossEntropy(), 3).ToString().Should().Contain("max_pool2d'+batch_normalization'");
        Parameter gamma = model.Parameters.Single(parameter => parameter.Role == ParameterRole.Gamma);
        gamma.Value.Span[1] = -0.5f;
        gamma.Value.Span[3] = -2;
        Check(model);
    }

    /// <summary>So many images that each worker takes several at a time, which fewer never do.</summary>
    [Fact]
    public void ManyImages_SeveralAtATime_GiveTheSumOfEachImagesGradients()
    {
        const int Many = 150;
        ModelBuilder builder = new ModelBuilder(9, 8, 2).Normalize(scale: 0.5f, mean: 0.1f, deviation: 2).Conv2D(6, 3, groups: 2, activation: Activation.Tanh);
        Node start = builder.Current;
        builder.DepthwiseConv2D(3, depthMultiplier: 2, dilation: 2).DepthwiseConv2D(3, dilation: 2).PointwiseConv2D(6).Add(start);
        Node sum = builder.Current;
        builder.SqueezeExcitation(2).Multiply(sum).Concat(sum, start).MaxPool2D(2).Conv2D(4, 3, stride: 2, dilation: 2).AveragePool2D(2, stride: 1, padding: Padding.Same);
        Node trunk = builder.Current;
        builder.Flatten().Dense(5);
        Node left = builder.Current;
        Model model = builder.From(trunk).GlobalAveragePool2D().Concat(left).Dense(3).Build(3), single = model.Clone();
        int length = model.InputShape.Length;
        float[] x = TestData.Uniform(Many * length, 1), dy = TestData.Uniform(Many * 3, 2), y = new float[dy.Length], one = new float[3];
        model.Execution = new() { ThreadCount = 1 };
        model.Forward(x, y);
        model.Backward(dy);
        for (int i = 0; i < Many; i++)
        {
            single.Forward(x.AsSpan(i * length, length), one);
            one.Should().Equal(y[(3 * i)..(3 * (i + 1))], "image {0}", i);
            single.Backward(dy.AsSpan(3 * i, 3));
        }

        foreach (Parameter parameter in model.Parameters)
        {
            float[] actual = parameter.Gradient!.Span.ToArray(), expected = single.Parameter(parameter.Name).Gradient!.Span.ToArray();
            float largest = expected.Max(Math.Abs);
            largest.Should().BePositive();
            actual.Zip(expected, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(2e-5f * largest, parameter.Name);
        }
    }

    /// <summary>Layers in composition; the number that a failure names builds the graph again.</summary>
    [Fact]
    public void RandomGraphs_EveryParameter_AgreeWithDifferences()
    {
        const ulong Seed = 1;
        for (int number = 0; number < 200; number++)
        {
            Model model = RandomGraph.Build(Seed, number);
            try
            {
                Check(model, vanishing: 0.01);
            }
            catch (Exception e)
            {
                throw new XunitException($"RandomGraph.Build({Seed}, {number}): {e.Message}\n{model.Summary()}", e);
            }
        }
    }

    /// <param name="model">The model.</param>
    /// <param name="vanishing">The share of the model's largest gradient that bounds the error of a parameter whose own vanishes by cancelling.</param>
    private static void Check(Model model, double vanishing = 0)
    {
        float[] x = TestData.Uniform(Images * model.InputShape.Length, 1), dy = TestData.Uniform(Images * model.OutputShape.Length, 2), y = new float[dy.Length];
        // Small weights would hide a wrong path behind a vanishing gradient.
        ulong seed = 10;
        foreach (Parameter parameter in model.Parameters.Where(p => p.Role is ParameterRole.Bias or ParameterRole.Beta or ParameterRole.Gamma))
            TestData.Uniform(parameter.Value.Length, seed++, 0.3f, 1).CopyTo(parameter.Value.Span);

        var oracle = new ModelOracle(model, Images);
        foreach (SimdLevel level in new[] { SimdLevel.Scalar, model.Execution.Level })
        {
            Model run = model.Clone();
            run.Execution = new() { Level = level, ThreadCount = 2 };
            run.ZeroGradients();
            run.Forward(x, y);
            TestData.ToDouble(y).Should().Equal(oracle.Forward(TestData.ToDouble(x)), (a, b) => Math.Abs(a - b) <= 1e-4 * (1 + Math.Abs(b)));
            run.Backward(dy);
            double floor = vanishing * run.Parameters.Where(p => p.IsTrainable).Max(p => TestData.ToDouble(p.Gradient!.Span).Max(Math.Abs));
            foreach (Parameter parameter in run.Parameters.Where(p => p.IsTrainable))
            {
                GradientCheck.Verify(
                    GradientCheck.Weighted(value => oracle.Forward(TestData.ToDouble(x), parameter.Name, value), dy),
                    parameter.Value.Span, parameter.Gradient!.Span, seed: 3, entries: 12, parameter.Name, floor);
            }
        }
    }
}
