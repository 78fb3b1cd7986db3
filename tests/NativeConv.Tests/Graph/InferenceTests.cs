using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Predictions run bands of rows through several layers at once, and an inference model has normalization in its weights.</summary>
public sealed class InferenceTests
{
    private const double Tolerance = 2e-5;

    /// <summary>Chains of every kind: bands that do not divide the height, rows that a pooling leaves out, strides, dilation, channels that fill no vector.</summary>
    public static TheoryData<string> Chains => ["separable", "pooled", "strided", "odd", "dense", "wide"];

    /// <summary>A diagnosis runs each layer on its own: the unfused twin.</summary>
    [Theory]
    [MemberData(nameof(Chains))]
    public void Bands_GiveTheBitsOfTheLayersOnTheirOwn(string chain)
    {
        Model model = Build(chain, normalization: false);
        const int Images = 3;
        float[] images = TestData.Uniform(Images * model.InputShape.Length, 1), expected = new float[Images * model.OutputShape.Length];
        foreach (SimdLevel level in SimdLevels.Supported)
        {
            model.Execution = new() { ThreadCount = 2, Level = level };
            Diagnose(model, images, expected);
            Predict(model, images).Should().Equal(expected, "level {0}", level);
        }

        static unsafe void Diagnose(Model model, float[] images, float[] outputs)
        {
            var executor = new TrainingExecutor(new(model.Graph, model.Store, PlanKind.Diagnosis, Images, workers: 2, model.Execution.Level, loss: null), seed: 0);
            executor.Forward(images, Images, step: 0);
            new ReadOnlySpan<float>(executor.Plan.Output(model.Graph.Output), outputs.Length).CopyTo(outputs);
            GC.KeepAlive(executor);
        }
    }

    /// <summary>Results below 0, above 6 and between, of every kind of convolution that rectifies what it stores.</summary>
    [Theory]
    [InlineData(Activation.ReLU)]
    [InlineData(Activation.ReLU6)]
    public void Rectifiers_GiveTheBitsOfTheActivationOnItsOwn(Activation function)
    {
        Func<ModelBuilder, ModelBuilder>[] convolutions =
        [
            builder => builder.Conv2D(37, 3), builder => builder.Conv2D(2, 3), builder => builder.PointwiseConv2D(21), builder => builder.DepthwiseConv2D(3),
            builder => builder.DepthwiseConv2D(3, depthMultiplier: 2),
        ];
        foreach (int channels in (int[])[3, 34])
        {
            foreach (Func<ModelBuilder, ModelBuilder> convolution in convolutions)
            {
                Model model = convolution(new(9, 7, channels)).Activate(function).Build(1);
                foreach (ref float weight in model.Parameters[0].Value.Span)
                    weight *= 20;

                float[] images = TestData.Uniform(2 * model.InputShape.Length, 1), expected = new float[2 * model.OutputShape.Length];
                model.Forward(images, expected);
                Predict(model, images).Should().Equal(expected, "{0} behind {1}", function, model.Nodes[1].Name);
                expected.Should().Contain(0f).And.Contain(value => value > 0 && value < 6);
                expected.Should().Contain(value => function == Activation.ReLU6 ? value == 6 : value > 6);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Chains))]
    public void Predictions_AreTheOracles(string chain) => CompareWithOracle(Build(chain, normalization: true));

    [Fact]
    public void Predictions_OfEveryLayer_AreTheOracles() => CompareWithOracle(EveryLayer.Build(seed: 5));

    /// <summary>So many that they are packed a share at a time.</summary>
    [Fact]
    public void Predictions_OfDenseLayersOfManyWeights_AreTheOracles() =>
        CompareWithOracle(new ModelBuilder(20, 21, 15).Flatten().Dense(11).Activate(Activation.Tanh).Dense(140).Activate(Activation.Tanh).Dense(999).Build(1));

    [Fact]
    public void Predictions_OfRandomGraphs_AreTheOracles()
    {
        for (int number = 0; number < 100; number++)
            CompareWithOracle(RandomGraph.Build(seed: 77, number));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(7, 1)]
    [InlineData(7, 2)]
    [InlineData(7, 8)]
    public void AnInferenceModel_GivesTheSameBits_ForAnyBatchAndThreads(int images, int threads)
    {
        InferenceModel model = Train(Build("separable", normalization: true)).ToInference();
        float[] input = TestData.Uniform(7 * model.InputShape.Length, 2), expected = new float[7 * model.OutputShape.Length];
        model.Execution = new() { ThreadCount = 1 };
        model.Predict(input, expected);
        model.Execution = new() { ThreadCount = threads };
        float[] outputs = new float[images * model.OutputShape.Length];
        model.Predict(input.AsSpan(0, images * model.InputShape.Length), outputs);
        outputs.Should().Equal(expected[..outputs.Length]);
    }

    [Fact]
    public void AnInferenceModel_HasNoNormalizationBehindAConvolution_AndNoDropout()
    {
        InferenceModel model = EveryLayer.Build(seed: 1).ToInference();
        model.Nodes.Any(node => node.Layer is Dropout || (node.Layer is BatchNormalization && node.Inputs[0].Layer is Conv2D or PointwiseConv2D or DepthwiseConv2D)).Should().BeFalse();
        model.ClassNames.Should().Equal("a", "b", "c");
    }

    [Fact]
    public void ANormalizationWhoseConvolutionOthersRead_Stays()
    {
        ModelBuilder builder = new ModelBuilder(5, 5, 2).Conv2D(3, 3);
        Node shared = builder.Current;
        Model model = builder.BatchNormalization().Add(shared).GlobalAveragePool2D().Dense(2).Build(1);
        CompareWithOracle(model);
        model.ToInference().Nodes.Should().Contain(node => node.Layer is BatchNormalization);
    }

    [Fact]
    public void ANormalizationBehindAnActivation_Stays()
    {
        Model model = new ModelBuilder(5, 5, 2).Conv2D(3, 3).ReLU().BatchNormalization().GlobalAveragePool2D().Dense(2).Build(1);
        CompareWithOracle(model);
    }

    [Fact]
    public void AnOutputThatGoes_LeavesTheLayerBeforeIt()
    {
        CompareWithOracle(new ModelBuilder(4, 4, 2).Conv2D(3, 3).BatchNormalization().Build(1));
        CompareWithOracle(new ModelBuilder(4, 4, 2).Flatten().Dense(3).Dropout(0.5f).Build(1));
    }

    [Fact]
    public void TrainingOnDoesNotReachAnInferenceModel_ButReachesTheModelsPredictions()
    {
        Model model = Train(Build("separable", normalization: true));
        InferenceModel inference = model.ToInference();
        float[] images = TestData.Uniform(2 * model.InputShape.Length, 3), before = Predict(inference, images), ownBefore = Predict(model, images);
        Train(model);
        Predict(inference, images).Should().Equal(before);
        Predict(model, images).Should().NotEqual(ownBefore, "a model's predictions follow its weights");
        Predict(model, images).Should().Equal(Predict(model.Clone(), images), "and nothing of the old ones is left in them");
        Predict(model.ToInference(), images).Should().NotEqual(before);
    }

    [Fact]
    public void OneImageOnManyThreads_AllocatesNothing()
    {
        InferenceModel model = Build("separable", normalization: true).ToInference();
        model.Execution = new() { ThreadCount = 4 };
        float[] image = TestData.Uniform(model.InputShape.Length, 1), output = new float[model.OutputShape.Length];
        model.Predict(image, output);

        // The least of some rounds: the runtime compiles a method again now and then, and its own bookkeeping counts.
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
                model.Predict(image, output);

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        least.Should().Be(0);
    }

    /// <summary>Workers carry up to eight of such small images at once, and take what others have not begun.</summary>
    [Fact]
    public void AnyNumberOfImages_OnAnyThreads_IsPredictedAsOneByOne()
    {
        Model model = new ModelBuilder(6, 6, 1).Conv2D(8, 3).ReLU().Flatten().Dense(3).Build(2);
        float[] images = TestData.Uniform(35 * model.InputShape.Length, 3);
        float[] expected = [.. images.Chunk(model.InputShape.Length).SelectMany(image => Predict(image, 1))];
        foreach (int threads in (int[])[1, 2, 3, 8])
        {
            model.Execution = new() { ThreadCount = threads };
            foreach (int count in (int[])[1, 2, 7, 8, 9, 16, 17, 23, 24, 35])
                Predict(images[..(count * model.InputShape.Length)], count).Should().Equal(expected[..(count * 3)], "{0} images on {1} threads", count, threads);
        }

        float[] Predict(float[] some, int count)
        {
            float[] outputs = new float[count * 3];
            model.Predict(some, outputs);
            return outputs;
        }
    }

    [Fact]
    public void APlan_SaysWhatRunsTogether()
    {
        Model model = new ModelBuilder(12, 12, 1).Conv2D(16, 3).BatchNormalization().ReLU()
            .SeparableConv2D(20, 3, activation: Activation.ReLU, batchNormalization: true).MaxPool2D(2).GlobalAveragePool2D().Dense(2).Build(1);
        model.ToInference().Plan().ToString().Should()
            .Contain("Inference plan: any batch")
            .And.Contain(" conv2d[ReLU] separable_conv2d_depthwise[ReLU]+separable_conv2d_pointwise[ReLU]+max_pool2d global_average_pool2d dense");
        ExecutionPlan training = model.Plan(Loss.SoftmaxCrossEntropy(), batchSize: 8);
        training.ToString().Should().Contain("barrier: batch_normalization#1[ReLU]").And.Contain($"{training.Bytes:N0} in all");
        training.ChunkCount.Should().Be(8);
        training.StageCount.Should().Be(7, "three normalizations end a stage forward and one backward");
        model.Plan().StageCount.Should().Be(1);
        FluentActions.Invoking(() => model.Plan(Loss.SoftmaxCrossEntropy(), 0)).Should().Throw<ArgumentException>();
    }

    private static void CompareWithOracle(Model model)
    {
        Train(model);
        const int Images = 2;
        float[] images = TestData.Uniform(Images * model.InputShape.Length, 4);
        double[] expected = new ModelOracle(model, Images, isPrediction: true).Forward(TestData.ToDouble(images));
        double largest = expected.Max(Math.Abs);
        InferenceModel inference = model.ToInference();
        foreach (float[] outputs in (float[][])[Predict(model, images), Predict(inference, images)])
        {
            for (int i = 0; i < expected.Length; i++)
                Math.Abs(outputs[i] - expected[i]).Should().BeLessThan(Tolerance * Math.Max(1, largest), "output {0} of {1}", i, expected.Length);
        }
    }

    /// <summary>Moves the running statistics away from where they start.</summary>
    private static Model Train(Model model)
    {
        const int Images = 4;
        float[] images = TestData.Uniform(Images * model.InputShape.Length, 5), outputs = new float[Images * model.OutputShape.Length];
        for (int step = 0; step < 3; step++)
        {
            model.ZeroGradients();
            model.Forward(images, outputs);
            model.Backward(TestData.Uniform(outputs.Length, (ulong)step));
            model.Step(new Sgd(0.05f));
        }

        return model;
    }

    private static Model Build(string chain, bool normalization)
    {
        ModelBuilder builder = chain switch
        {
            "separable" => Block(new(56, 60, 16), 33, 1, 2).MaxPool2D(2),
            "pooled" => Block(new(57, 61, 24), 40, 1, 1).MaxPool2D(2),
            "strided" => Block(new(121, 97, 20), 24, 2, 1),
            "odd" => Block(new(130, 31, 17), 19, 1, 3).Activate(Activation.Tanh),
            "dense" => Normalized(new ModelBuilder(41, 45, 5).Conv2D(30, 3, dilation: 2, useBias: !normalization)).MaxPool2D(2),
            _ => Block(new(9, 300, 32), 8, 1, 1),
        };
        return builder.GlobalAveragePool2D().Dense(3).Build(1);

        ModelBuilder Block(ModelBuilder start, int filters, int stride, int dilation) => Normalized(
            Normalized(start.DepthwiseConv2D(3, stride: stride, dilation: dilation)).PointwiseConv2D(filters));

        ModelBuilder Normalized(ModelBuilder before) => (normalization ? before.BatchNormalization() : before).ReLU();
    }

    private static float[] Predict(Model model, float[] images)
    {
        float[] outputs = new float[images.Length / model.InputShape.Length * model.OutputShape.Length];
        model.Predict(images, outputs);
        return outputs;
    }

    private static float[] Predict(InferenceModel model, float[] images)
    {
        float[] outputs = new float[images.Length / model.InputShape.Length * model.OutputShape.Length];
        model.Predict(images, outputs);
        return outputs;
    }
}
