using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>
/// Training runs a convolution and the max-pooling behind it band by band, and the pooling's winners do the rectifier's backward. The bits are those of the layers on their own: a dropout that drops
/// nothing keeps them apart.
/// </summary>
public sealed class PooledTrainingTests
{
    private const int Batch = 7, Channels = 16;

    private static readonly Activation[] Functions = [Activation.Linear, Activation.ReLU, Activation.ReLU6];

    private static readonly Dictionary<string, Layer> Convolutions = new()
    {
        ["dense"] = new Conv2D(20, 3),
        ["zeros left out"] = new Conv2D(16, 3),
        ["groups"] = new Conv2D(24, 3) { Groups = 2, UseBias = false },
        ["strided"] = new Conv2D(9, new Size2D(2, 3)) { Stride = new(1, 2), Dilation = new(2, 1), Padding = Padding.Valid },
        ["pointwise"] = new PointwiseConv2D(24),
        ["depthwise"] = new DepthwiseConv2D(3),
        ["multiplied"] = new DepthwiseConv2D(3) { DepthMultiplier = 2 },
        ["dot"] = new PointwiseConv2D(1),
    };

    public static TheoryData<string, Activation> Chains
    {
        get
        {
            var data = new TheoryData<string, Activation>();
            foreach (string convolution in Convolutions.Keys)
            {
                foreach (Activation function in Functions)
                    data.Add(convolution, function);
            }

            return data;
        }
    }

    /// <summary>Even and odd sizes, layers before and behind or none, all widths and several threads; the gradients of two batches together, the second of fewer images.</summary>
    [Theory]
    [MemberData(nameof(Chains))]
    public void Gradients_AreThoseOfTheLayersOnTheirOwn(string convolution, Activation function)
    {
        foreach ((int height, int width) in ((int, int)[])[(12, 12), (13, 9)])
        {
            foreach (bool isFirst in (bool[])[true, false])
            {
                foreach (bool isLast in (bool[])[true, false])
                {
                    (Model joined, Model apart) = Twins(Convolutions[convolution], function, new(height, width), isFirst, isLast);
                    float[] images = TestData.Uniform(Batch * joined.InputShape.Length, 2), gradients = Gradients(joined);
                    float[] outputs = Same(joined, apart, images, gradients);
                    if (isLast && function != Activation.Linear)
                        outputs.Should().Contain(0f).And.Contain(value => value > 0 && value < 6).And.Contain(value => function == Activation.ReLU6 ? value == 6 : value > 6);
                }
            }
        }
    }

    /// <summary>Rows so long that a band has one or a few of them.</summary>
    [Theory]
    [InlineData(120)]
    [InlineData(31)]
    public void Gradients_OfSeveralBands_AreThoseOfTheLayersOnTheirOwn(int width)
    {
        (Model joined, Model apart) = Twins(new Conv2D(72, 3), Activation.ReLU, new(23, width), isFirst: true, isLast: true);
        Same(joined, apart, TestData.Uniform(Batch * joined.InputShape.Length, 2), Gradients(joined));
    }

    /// <summary>More than there are chunks, so that a worker carries several at once, and not each as many.</summary>
    [Theory]
    [InlineData(Activation.Linear)]
    [InlineData(Activation.ReLU)]
    public void Gradients_OfManyImages_AreThoseOfTheLayersOnTheirOwn(Activation function)
    {
        const int Images = 151;
        (Model joined, Model apart) = Twins(Convolutions["depthwise"], function, new(7, 6), isFirst: false, isLast: true);
        Same(joined, apart, TestData.Uniform(Images * joined.InputShape.Length, 2), Gradients(joined, Images));
    }

    /// <summary>With something to train before the convolution, and without.</summary>
    [Theory]
    [InlineData(Activation.ReLU, true)]
    [InlineData(Activation.ReLU, false)]
    [InlineData(Activation.ReLU6, false)]
    [InlineData(Activation.Linear, false)]
    public void Gradients_OfAFrozenConvolution_AreThoseOfTheLayersOnTheirOwn(Activation function, bool isFirst)
    {
        (Model joined, Model apart) = Twins(Convolutions["dense"], function, new(12, 11), isFirst, isLast: false);
        joined.Freeze("c");
        apart.Freeze("c");
        Same(joined, apart, TestData.Uniform(Batch * joined.InputShape.Length, 2), Gradients(joined));
    }

    [Theory]
    [InlineData(Activation.ReLU)]
    [InlineData(Activation.ReLU6)]
    public void Gradients_OfImagesThatAreRectifiedEverywhere_AreZero_WhateverComesBack(Activation function)
    {
        foreach (float bias in function == Activation.ReLU ? (float[])[-1e4f] : [-1e4f, 1e4f])
        {
            (Model joined, Model apart) = Twins(Convolutions["dense"], function, new(8, 8), isFirst: false, isLast: true);
            foreach (Model model in (Model[])[joined, apart])
                model.Parameter("c.bias").Value.Span.Fill(bias);

            float[] gradients = Gradients(joined);
            gradients.AsSpan(0, 9).Fill(float.NaN);
            Same(joined, apart, TestData.Uniform(Batch * joined.InputShape.Length, 2), gradients);
            Bits(joined.Store.Gradients.Span).Should().OnlyContain(bits => bits == 0);
        }
    }

    /// <summary>A NaN wins its windows, is no bound of a rectifier, and so gets the gradient.</summary>
    [Theory]
    [MemberData(nameof(Chains))]
    public void Gradients_OfImagesWithNaN_AreThoseOfTheLayersOnTheirOwn(string convolution, Activation function)
    {
        (Model joined, Model apart) = Twins(Convolutions[convolution], function, new(12, 10), isFirst: true, isLast: true);
        float[] images = TestData.Uniform(Batch * joined.InputShape.Length, 2);
        images[17] = images[^40] = float.NaN;
        images[images.Length / 2] = float.PositiveInfinity;
        Same(joined, apart, images, Gradients(joined)).Should().Contain(value => float.IsNaN(value));
        joined.Store.Gradients.Span.ToArray().Should().Contain(value => float.IsNaN(value));
    }

    /// <summary>What a pooling gives may have many readers; what a step leaves has the bits of whole batches and of parts alike.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    public void Steps_LeaveTheBitsOfTheLayersOnTheirOwn(int? microBatchSize)
    {
        (Model joined, Model apart) = (Network(isApart: false), Network(isApart: true));
        Copy(joined, apart);
        float[] images = TestData.Uniform(Batch * joined.InputShape.Length, 3);
        int[] labels = TestData.Labels(Batch, 3, 4);
        foreach (int threads in (int[])[1, 3])
            Train(joined.Clone(), threads).Should().Equal(Train(apart.Clone(), threads), "on {0} threads", threads);

        int[] Train(Model model, int threads)
        {
            model.Execution = new() { ThreadCount = threads };
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.02f), Batch, microBatchSize: microBatchSize);
            for (int step = 0; step < 3; step++)
                session.Step(images, labels);

            session.Step(images.AsSpan(model.InputShape.Length), labels.AsSpan(1));
            return Bits([.. model.Store.Values.Span, .. model.Store.State.Span, .. session.OptimizerState.Moments.Span]);
        }

        static Model Network(bool isApart)
        {
            ModelBuilder builder = Pooled(Pooled(new ModelBuilder(21, 18, 2).Conv2D(16, 3, activation: Activation.ReLU)).DepthwiseConv2D(3, activation: Activation.ReLU6));
            Node shared = builder.Current;
            return builder.Conv2D(16, 3).BatchNormalization().ReLU().Add(shared).Conv2D(16, 3).Flatten().Dense(3).Build(6);

            ModelBuilder Pooled(ModelBuilder before) => (isApart ? before.Dropout(0) : before).MaxPool2D(2);
        }
    }

    /// <summary>The pooling's backward runs again behind the barrier of a normalization that stands between.</summary>
    [Fact]
    public void APoolingWhoseBackwardRunsAgain_GivesTheBitsOfTheLayersOnTheirOwn()
    {
        (Model joined, Model apart) = (Network(isApart: false), Network(isApart: true));
        Copy(joined, apart);
        joined.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString().Should().Contain("c[ReLU]+p").And.Contain("(p'[ReLU])");
        Same(joined, apart, TestData.Uniform(Batch * joined.InputShape.Length, 2), Gradients(joined));

        static Model Network(bool isApart)
        {
            ModelBuilder builder = new ModelBuilder(10, 10, 3).Conv2D(16, 3);
            Node start = builder.Current;
            builder.Conv2D(16, 3, name: "c").ReLU();
            if (isApart)
                builder.Dropout(0);

            Node rectified = builder.Current;
            builder.From(start).BatchNormalization().AveragePool2D(2);
            Node beside = builder.Current;
            return builder.From(rectified).MaxPool2D(2, name: "p").Add(beside).Flatten().Dense(3).Build(6);
        }
    }

    [Fact]
    public void Step_OnOneThread_AllocatesNothing()
    {
        Model model = Build(Convolutions["dense"], Activation.ReLU, isApart: false, new(12, 12), isFirst: true, isLast: false);
        model.Execution = new() { ThreadCount = 1 };
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch);
        float[] images = TestData.Uniform(Batch * model.InputShape.Length, 1);
        int[] labels = TestData.Labels(Batch, 3, 2);
        for (int i = 0; i < 3; i++)
            session.Step(images, labels);

        long before = GC.GetAllocatedBytesForCurrentThread();
        session.Step(images, labels);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Chains))]
    public void APlan_JoinsWhatCanRunByRows_AndKeepsNoOutputOfTheConvolution(string convolution, Activation function)
    {
        (Model joined, Model apart) = Twins(Convolutions[convolution], function, new(24, 24), isFirst: false, isLast: false);
        string fused = function == Activation.Linear ? "" : $"[{function}]";
        string plan = joined.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString();
        plan.Should().Contain(convolution is "multiplied" or "dot" ? $" c{fused} p " : $" c{fused}+p ").And.Contain($" p'{fused} c' ");
        if (convolution is not ("multiplied" or "dot"))
            plan.Should().NotContain("\n  c: ");

        apart.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString().Should().Contain($" c{fused} dropout p ").And.Contain($" p' dropout' c'{fused} ").And.Contain("\n  c: ");
    }

    /// <summary>A convolution whose output is many bands, against the same where another layer reads it too.</summary>
    [Fact]
    public void APlan_NeedsLessMemory_ByMostOfTheConvolutionsOutput()
    {
        long joined = Bytes(hasReader: false), apart = Bytes(hasReader: true);
        joined.Should().BeLessThan(apart - (96 * 96 * 32 * sizeof(float) * 3 / 4));

        static long Bytes(bool hasReader)
        {
            ModelBuilder builder = new ModelBuilder(96, 96, 3).Conv2D(32, 3).ReLU();
            Node rectified = builder.Current;
            Node end = builder.MaxPool2D(2).GlobalAveragePool2D().Current;
            if (hasReader)
                builder.From(rectified).GlobalAveragePool2D().Add(end);

            Model model = builder.Dense(3).Build(1);
            model.Execution = new() { ThreadCount = 1 };
            return model.Plan(Loss.SoftmaxCrossEntropy(), Batch).Bytes;
        }
    }

    public static TheoryData<string> NotJoined => [.. Apart.Keys];

    private static readonly Dictionary<string, Func<ModelBuilder, ModelBuilder>> Apart = new()
    {
        ["another activation"] = builder => builder.Conv2D(20, 3, activation: Activation.Tanh).MaxPool2D(2),
        ["two activations"] = builder => builder.Conv2D(20, 3, activation: Activation.ReLU).Activate(Activation.SiLU).MaxPool2D(2),
        ["normalization"] = builder => builder.Conv2D(20, 3).BatchNormalization().ReLU().MaxPool2D(2),
        ["dropout"] = builder => builder.Conv2D(20, 3).ReLU().Dropout(0.5f).MaxPool2D(2),
        ["rows between the windows"] = builder => builder.Conv2D(20, 3).ReLU().MaxPool2D(2, stride: new Size2D(3, 2)),
        ["windows that overlap"] = builder => builder.Conv2D(20, 3).ReLU().MaxPool2D(2, stride: 1),
        ["larger windows"] = builder => builder.Conv2D(20, 3).ReLU().MaxPool2D(3),
        ["windows beyond the edge"] = builder => builder.Conv2D(20, 3).ReLU().MaxPool2D(2, padding: Padding.Same),
        ["no convolution"] = builder => builder.ReLU().MaxPool2D(2).MaxPool2D(2),
        ["no pooling"] = builder => builder.DepthwiseConv2D(3).ReLU().PointwiseConv2D(20).ReLU(),
        ["a reader of the convolution"] = builder => Beside(builder.Conv2D(20, 3), builder => builder.ReLU()),
        ["a reader of the activation"] = builder => Beside(builder.Conv2D(20, 3).ReLU(), builder => builder),
        ["a reader of the convolution alone"] = builder => Beside(builder.Conv2D(20, 3), builder => builder),
    };

    [Theory]
    [MemberData(nameof(NotJoined))]
    public void APlan_JoinsNothingElse(string between)
    {
        Model model = Apart[between](new ModelBuilder(13, 13, 16).Conv2D(16, 3).Activate(Activation.Tanh)).Flatten().Dense(3).Build(1);
        string plan = model.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString();
        plan.Should().NotContain("+");
        plan.Contains("max_pool2d'[ReLU]", StringComparison.Ordinal).Should().Be(between == "rows between the windows", "whole windows apart can have a rectifier's backward, whatever their stride");
    }

    [Fact]
    public void APlan_JoinsNothingBehindThePooling_AndADiagnosisNothingAtAll()
    {
        Model model = new ModelBuilder(16, 16, 3).Conv2D(20, 3).ReLU().MaxPool2D(2).MaxPool2D(2).PointwiseConv2D(20).MaxPool2D(2).Flatten().Dense(3).Build(1);
        model.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString().Should().Contain(" conv2d[ReLU]+max_pool2d max_pool2d_1 pointwise_conv2d+max_pool2d_2 flatten dense ");
        new Plan(model.Graph, model.Store, PlanKind.ByHand, Batch, 1, SimdLevels.Default, null).ToString().Should().Contain("conv2d[ReLU]+max_pool2d ");
        new Plan(model.Graph, model.Store, PlanKind.Diagnosis, Batch, 1, SimdLevels.Default, null).ToString().Should().Contain(" conv2d activation max_pool2d ").And.NotContain("+");
    }

    private static ModelBuilder Beside(ModelBuilder shared, Func<ModelBuilder, ModelBuilder> between)
    {
        Node start = shared.Current;
        Node pooled = between(shared).MaxPool2D(2).Current;
        return shared.From(start).AveragePool2D(2).Add(pooled);
    }

    private static (Model Joined, Model Apart) Twins(Layer convolution, Activation function, Size2D size, bool isFirst, bool isLast)
    {
        Model joined = Build(convolution, function, isApart: false, size, isFirst, isLast), apart = Build(convolution, function, isApart: true, size, isFirst, isLast);
        // Outputs below 0, above 6 and between.
        foreach (ref float weight in joined.Parameter("c.kernel").Value.Span)
            weight *= 20;

        Copy(joined, apart);
        return (joined, apart);
    }

    private static Model Build(Layer convolution, Activation function, bool isApart, Size2D size, bool isFirst, bool isLast)
    {
        var builder = new ModelBuilder(size.Height, size.Width, Channels);
        if (!isFirst)
            builder.Conv2D(Channels, 3);

        builder.Layer(convolution, "c");
        if (function != Activation.Linear)
            builder.Activate(function);

        if (isApart)
            builder.Dropout(0);

        builder.MaxPool2D(2, name: "p");
        return (isLast ? builder : builder.Conv2D(5, 3).Flatten().Dense(3)).Build(6);
    }

    private static void Copy(Model from, Model to)
    {
        for (int i = 0; i < from.Parameters.Count; i++)
            from.Parameters[i].Value.Span.CopyTo(to.Parameters[i].Value.Span);
    }

    /// <summary>Zeros of both signs among them.</summary>
    private static float[] Gradients(Model model, int images = Batch)
    {
        float[] gradients = TestData.Uniform(images * model.OutputShape.Length, 5);
        for (int i = 0; i < gradients.Length; i += 5)
            gradients[i] = i % 2 == 0 ? 0 : -0f;

        return gradients;
    }

    /// <summary>Sees that outputs and gradients are the same, and gives the outputs.</summary>
    private static float[] Same(Model joined, Model apart, float[] images, float[] gradients)
    {
        float[] outputs = new float[gradients.Length];
        foreach (SimdLevel level in SimdLevels.Supported)
        {
            foreach (int threads in (int[])[1, 3])
                Run(joined, level, threads).AsSpan().SequenceEqual(Run(apart, level, threads)).Should().BeTrue("level {0}, {1} threads", level, threads);
        }

        return outputs;

        int[] Run(Model model, SimdLevel level, int threads)
        {
            model.Execution = new() { ThreadCount = threads, Level = level };
            model.ZeroGradients();
            int inputs = 2 * model.InputShape.Length, ends = 2 * model.OutputShape.Length;
            model.Forward(images, outputs);
            model.Backward(gradients);
            model.Forward(images.AsSpan(inputs), outputs.AsSpan(ends));
            model.Backward(gradients.AsSpan(ends));
            return Bits([.. outputs, .. model.Store.Gradients.Span]);
        }
    }

    /// <summary>Bits, of a NaN whatever it holds.</summary>
    private static int[] Bits(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), value => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value));
}
