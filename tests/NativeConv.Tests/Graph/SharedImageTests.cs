using FluentAssertions;
using NativeConv.Graph;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Fewer images than threads: workers share an image out, rows of each layer. The bits are those of one thread.</summary>
public sealed class SharedImageTests
{
    private const int MostImages = 9;

    [Fact]
    public void EveryLayer_GivesTheBitsOfOneThread() => Check(EveryLayer.Build(seed: 5), SimdLevels.Callable);

    [Fact]
    public void RandomGraphs_GiveTheBitsOfOneThread()
    {
        for (int number = 0; number < 60; number++)
            Check(RandomGraph.Build(seed: 31, number), [SimdLevels.Default]);
    }

    /// <summary>Rows that no number of parts divides, rows that a pooling leaves out, strides, dilation, chains of layers and layers on their own; few outputs, channels that fill no vector, 512 that lie on one set of the cache.</summary>
    [Theory]
    [InlineData("chains")]
    [InlineData("few")]
    [InlineData("wide")]
    public void Layers_GiveTheBitsOfOneThread(string layers)
    {
        ModelBuilder builder = layers switch
        {
            "chains" => new ModelBuilder(37, 23, 3).Normalize(0.5f, 0.1f, 2).Conv2D(16, 3, stride: 2, activation: Activation.ReLU)
                .SeparableConv2D(33, 3, dilation: 2, activation: Activation.ReLU6, batchNormalization: true).MaxPool2D(2)
                .SeparableConv2D(20, 5, stride: 2, activation: Activation.Gelu),
            "few" => new ModelBuilder(29, 31, 1).DepthwiseConv2D(3, depthMultiplier: 3).Conv2D(2, 3, dilation: 3).PointwiseConv2D(1).Conv2D(9, 3, activation: Activation.ReLU)
                .MaxPool2D(2).DepthwiseConv2D(3, stride: 2).Activate(Activation.Tanh).AveragePool2D(2),
            _ => new ModelBuilder(7, 7, 512).DepthwiseConv2D(3).PointwiseConv2D(40, activation: Activation.ReLU).DepthwiseConv2D(7).Conv2D(64, 3, groups: 4),
        };
        Check(builder.GlobalAveragePool2D().Dense(3).Build(1), SimdLevels.Supported);
    }

    /// <summary>As it is used: large enough for threads to share it unasked.</summary>
    [Fact]
    public void LargeNetwork_OnAnyThreads_GivesTheSameBits()
    {
        InferenceModel model = Large().ToInference();
        float[] images = TestData.Uniform(3 * model.InputShape.Length, 1), expected = new float[3 * model.OutputShape.Length];
        model.Execution = new() { ThreadCount = 1 };
        model.Predict(images, expected);
        foreach (int threads in (int[])[2, 3, 4, 7])
        {
            model.Execution = new() { ThreadCount = threads };
            for (int count = 1; count <= 3; count++)
            {
                float[] outputs = new float[count * model.OutputShape.Length];
                model.Predict(images.AsSpan(0, count * model.InputShape.Length), outputs);
                outputs.Should().Equal(expected[..outputs.Length], "{0} images on {1} threads", count, threads);
            }
        }
    }

    /// <summary>An image for each worker while there are as many; what is left is shared, unless it is nearly an image for each.</summary>
    [Theory]
    [InlineData(4, 8, 8)]
    [InlineData(4, 9, 8)]
    [InlineData(4, 3, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 3, 3)]
    [InlineData(16, 13, 13)]
    [InlineData(16, 12, 0)]
    [InlineData(16, 40, 32)]
    public void WholeImages_AreThoseThatLeaveNobodyIdle(int threads, int images, int whole)
    {
        Plan(Large(), threads).WholeImages(images).Should().Be(whole);
        Model small = new ModelBuilder(28, 28, 8).Conv2D(16, 3).Conv2D(16, 3).GlobalAveragePool2D().Dense(3).Build(1);
        Plan(small, threads).WholeImages(images).Should().Be(images, "a small network's image is not shared");
    }

    /// <summary>Nothing that can be cut, or too little beside what cannot: an image stays one worker's, and many share a dense layer's weights.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(90, false)]
    [InlineData(900, true)]
    public void WholeImages_OfANetworkThatIsMostlyDense_AreAll(int filters, bool isShared)
    {
        Model model = new ModelBuilder(56, 56, 8).Conv2D(filters, 3, activation: Activation.ReLU).GlobalAveragePool2D().Dense(3000).Dense(9000).Build(1);
        Plan(model, 2).WholeImages(3).Should().Be(isShared ? 2 : 3);
    }

    /// <summary>A worker with nothing to do is not woken.</summary>
    [Theory]
    [InlineData(2, 1, 2)]
    [InlineData(40, 1, 28)]
    [InlineData(40, 2, 40)]
    public void BeginShared_GivesTheWorkersThatHaveSomethingToDo(int threads, int images, int workers) => Plan(Large(), threads).BeginShared(images).Should().Be(workers);

    /// <summary>Many callers at once, each with more threads than there are cores.</summary>
    [Fact]
    public void ManyCallersAtOnce_GetTheBitsOfOneThread()
    {
        InferenceModel model = Large().ToInference();
        float[] image = TestData.Uniform(model.InputShape.Length, 1), expected = new float[model.OutputShape.Length];
        model.Execution = new() { ThreadCount = 1 };
        model.Predict(image, expected);
        model.Execution = new() { ThreadCount = 2 * Environment.ProcessorCount + 1 };
        int wrong = 0;
        Thread[] callers = [.. Enumerable.Range(0, 6).Select(_ => new Thread(() =>
        {
            float[] output = new float[expected.Length];
            for (int i = 0; i < 20; i++)
            {
                model.Predict(image, output);
                if (!output.AsSpan().SequenceEqual(expected))
                    Interlocked.Increment(ref wrong);
            }
        }))];
        foreach (Thread caller in callers)
            caller.Start();

        foreach (Thread caller in callers)
            caller.Join();

        wrong.Should().Be(0);
    }

    /// <summary>A layer that asks a model, within a phase of another's prediction.</summary>
    [Fact]
    public void ALayerThatPredicts_GetsTheBitsOfOneThread()
    {
        InferenceModel inner = Large().ToInference();
        inner.Execution = new() { ThreadCount = 1 };
        InferenceModel outer = new ModelBuilder(48, 48, 8).Conv2D(40, 3).PointwiseConv2D(8).Layer(new Asking(inner)).Dense(2).Build(1).ToInference();
        float[] images = TestData.Uniform(3 * outer.InputShape.Length, 1), expected = new float[6], outputs = new float[6];
        outer.Execution = new() { ThreadCount = 1 };
        outer.Predict(images, expected);
        (inner.Execution, outer.Execution) = (new() { ThreadCount = 3 }, new() { ThreadCount = 2 });
        outer.Predict(images, outputs);
        outputs.Should().Equal(expected);
    }

    /// <summary>The layer with the most work, which is enough for 28 parts: as few as keep all workers busy.</summary>
    [Theory]
    [InlineData(2, 1, 2)]
    [InlineData(4, 3, 4)]
    [InlineData(16, 8, 2)]
    [InlineData(16, 1, 16)]
    [InlineData(40, 1, 28)]
    public void SharedParts_AreAsFewAsKeepWorkersBusy(int threads, int images, int parts)
    {
        Plan plan = Plan(Large(), threads);
        plan.BeginShared(images);
        Enumerable.Range(0, plan.SharedPhaseCount).Max(plan.SharedParts).Should().Be(parts);
    }

    [Fact]
    public void APlan_SaysWhatIsShared()
    {
        Model model = Large();
        model.Execution = new() { ThreadCount = 2 };
        model.ToInference().Plan().ToString().Should().Contain(": input/1 conv2d[ReLU]/2 separable_conv2d_depthwise+separable_conv2d_pointwise[ReLU]/2 ").And.Contain(" global_average_pool2d dense/1\n");
        model.Execution = new() { ThreadCount = 1 };
        model.ToInference().Plan().ToString().Should().NotContain("share");
    }

    [Fact]
    public void ALayerThatThrows_ThrowsThat_AndTheModelGoesOn()
    {
        var layer = new Failing();
        InferenceModel model = new ModelBuilder(96, 96, 3).Conv2D(48, 3).Layer(layer).GlobalAveragePool2D().Dense(2).Build(1).ToInference();
        model.Execution = new() { ThreadCount = 3 };
        float[] images = TestData.Uniform(4 * model.InputShape.Length, 1), first = new float[8], again = new float[8];
        model.Predict(images, first);
        layer.Fails = true;
        foreach (int count in (int[])[1, 4])
        {
            FluentActions.Invoking(() => model.Predict(images.AsSpan(0, count * model.InputShape.Length), new float[count * 2]))
                .Should().Throw<NotSupportedException>().WithMessage("as it was told");
        }

        layer.Fails = false;
        model.Predict(images, again);
        again.Should().Equal(first);
    }

    private static Model Large() => new ModelBuilder(48, 48, 8).Conv2D(48, 3, activation: Activation.ReLU)
        .SeparableConv2D(64, 3, activation: Activation.ReLU).SeparableConv2D(24, 3, stride: 2).GlobalAveragePool2D().Dense(3).Build(1);

    private static Plan Plan(Model model, int threads) =>
        new(model.Graph, model.Store, PlanKind.Inference, int.MaxValue, threads, SimdLevels.Default, loss: null, memory: new(isReserved: false));

    private static void Check(Model model, IEnumerable<SimdLevel> levels)
    {
        float[] images = TestData.Uniform(MostImages * model.InputShape.Length, 1);
        foreach (SimdLevel level in levels)
        {
            float[] expected = Predict(1, MostImages, SharingLimits.Default);
            foreach (int threads in (int[])[2, 3, 8])
            {
                foreach (int count in (int[])[1, 2, 5, MostImages])
                {
                    Predict(threads, count, SharingLimits.None).Should()
                        .Equal(expected[..(count * model.OutputShape.Length)], "{0} images on {1} threads, {2}", count, threads, level);
                }
            }

            float[] Predict(int threads, int count, SharingLimits limits)
            {
                var executor = new InferenceExecutor(model.Graph, model.Store, new() { ThreadCount = threads, Level = level }, sharing: limits);
                float[] outputs = new float[count * model.OutputShape.Length];
                executor.Run(images.AsSpan(0, count * model.InputShape.Length), outputs, count, probabilities: false);
                return outputs;
            }
        }
    }

    /// <summary>What a model says of each image.</summary>
    private sealed class Asking(InferenceModel model) : CustomLayer
    {
        public override string Kind => "asking";

        public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => model.OutputShape;

        public override void Forward(in LayerForward call) => model.Predict(call.Input(), call.Output);

        public override void Backward(in LayerBackward call) => throw new NotSupportedException();
    }

    /// <summary>y = x, or an error.</summary>
    private sealed class Failing : CustomLayer
    {
        public bool Fails { get; set; }

        public override string Kind => "failing";

        public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

        public override void Forward(in LayerForward call)
        {
            if (Fails)
                throw new NotSupportedException("as it was told");

            call.Input().CopyTo(call.Output);
        }

        public override void Backward(in LayerBackward call) => call.OutputGradient.CopyTo(call.InputGradient());
    }
}
