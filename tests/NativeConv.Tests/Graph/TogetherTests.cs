using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Dense layers of many weights, which several chunks' images share: results are those of images on their own, whoever takes how many.</summary>
public sealed class TogetherTests
{
    private const int Classes = 5;

    // One image a chunk, one or two, two or three; the last with chunks left over for the last worker.
    private static readonly int[] Batches = [5, 70, 150];

    [Fact]
    public void Plan_LargeDenseLayers_ShareTheirWeights()
    {
        Model model = Build();
        model.Execution = new() { ThreadCount = 2 };
        string plan = model.Plan(Loss.SoftmaxCrossEntropy(), 128).ToString();
        plan.Should().Contain("8 images at a time, 10 together, 64 chunks").And.Contain("flatten {dense dense_1 dense_2} concat activation_1 dense_3 loss dense_3' activation_1' concat' {dense_2' dense_1' dense'} flatten'");
        model.Plan().ToString().Should().Contain(", 10 together, 0 chunks").And.Contain("flatten {dense dense_1 dense_2} concat");
    }

    [Fact]
    public void Plan_ManyWorkers_LeavesEachItsChunks()
    {
        Model model = Build();
        model.Execution = new() { ThreadCount = 32 };
        model.Plan(Loss.SoftmaxCrossEntropy(), 128).ToString().Should().Contain(" 2 together, 64 chunks");
    }

    /// <summary>What a worker keeps of its images stays below 8 MB, however many the weights want.</summary>
    [Fact]
    public void Plan_LargeImages_TakesFewerOfThem() =>
        new ModelBuilder(128, 64, 1).Conv2D(32, 3).Conv2D(1, 3).Flatten().Dense(400).Dense(2).Build(1).Plan(Loss.SoftmaxCrossEntropy(), 32).ToString()
            .Should().Contain("1 images at a time, 7 together, 32 chunks").And.Contain("{dense}");

    [Fact]
    public void Plan_ChunksOfTooManyImages_ShareNothing() =>
        new ModelBuilder(64, 64, 1).Conv2D(32, 3).Conv2D(1, 3).Flatten().Dense(400).Dense(2).Build(1).Plan(Loss.SoftmaxCrossEntropy(), 1024).ToString()
            .Should().Contain("1 images at a time, 1 together, 64 chunks").And.NotContain("{");

    /// <summary>The gradients of a step whose chunks are too large to be taken together are those of parts of it that are not.</summary>
    [Fact]
    public void ChunksOfTooManyImages_TrainAsSmallOnes()
    {
        const int Many = 192;
        Model many = Wide(), few = many.Clone();
        int length = many.InputShape.Length;
        float[] x = TestData.Uniform(Many * length, 1), dy = TestData.Uniform(Many * Classes, 2), y = new float[Many * Classes], part = new float[Classes];
        many.Plan(Loss.SoftmaxCrossEntropy(), Many).ToString().Should().NotContain("{");
        few.Plan(Loss.SoftmaxCrossEntropy(), 1).ToString().Should().Contain("{dense}");
        many.Forward(x, y);
        many.Backward(dy);
        for (int i = 0; i < Many; i++)
        {
            few.Forward(x.AsSpan(i * length, length), part);
            part.Should().Equal(y[(i * Classes)..((i + 1) * Classes)]);
            few.Backward(dy.AsSpan(i * Classes, Classes));
        }

        for (int i = 0; i < many.Parameters.Count; i++)
        {
            float[] actual = many.Parameters[i].Gradient!.Span.ToArray(), expected = few.Parameters[i].Gradient!.Span.ToArray();
            actual.Zip(expected, (a, e) => MathF.Abs(a - e)).Max().Should().BeLessThan(1e-4f * expected.Max(MathF.Abs), many.Parameters[i].Name);
        }
    }

    /// <summary>By hand stages are cut, in a step of so many images they are not.</summary>
    [Fact]
    public void AStageThatIsNotCut_StepsByTheGradientsOfOneThatIs()
    {
        const int Many = 192;
        Model stepped = Wide(), byHand = stepped.Clone();
        float[] x = TestData.Uniform(Many * stepped.InputShape.Length, 1), y = new float[Many * Classes], dy = new float[y.Length];
        int[] labels = TestData.Labels(Many, Classes, 2);
        stepped.Plan(Loss.SoftmaxCrossEntropy(), Many).ToString().Should().NotContain("{");
        byHand.Forward(x, y);
        Loss.SoftmaxCrossEntropy().Evaluate(y, labels, dy);
        byHand.Backward(dy);
        stepped.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(1), Many).Step(x, labels);
        for (int i = 0; i < stepped.Parameters.Count; i++)
        {
            float[] before = byHand.Parameters[i].Value.Span.ToArray(), after = stepped.Parameters[i].Value.Span.ToArray(), expected = byHand.Parameters[i].Gradient!.Span.ToArray();
            float magnitude = expected.Max(MathF.Abs);
            magnitude.Should().BeGreaterThan(1e-4f);
            before.Zip(after, (b, a) => b - a).Zip(expected, (a, e) => MathF.Abs(a - e)).Max().Should().BeLessThan(2e-3f * magnitude, stepped.Parameters[i].Name);
        }
    }

    private static Model Wide() => new ModelBuilder(128, 64, 1).Conv2D(48, 1).Activate(Activation.Tanh).PointwiseConv2D(48).AveragePool2D(16).Flatten().Dense(24).Dense(Classes).Build(1);

    [Fact]
    public void Forward_ManyImages_HasTheBitsOfEachOnItsOwn()
    {
        foreach (int batch in Batches)
        {
            Model model = Build(), single = model.Clone();
            (float[] x, float[] dy, float[] y) = (Images(batch), TestData.Uniform(batch * Classes, 2), new float[batch * Classes]);
            float[] one = new float[Classes];
            int length = model.InputShape.Length;
            model.Execution = new() { ThreadCount = 2 };
            model.Forward(x, y);
            model.Backward(dy);
            for (int i = 0; i < batch; i++)
            {
                single.Forward(x.AsSpan(i * length, length), one);
                one.Should().Equal(y[(Classes * i)..(Classes * (i + 1))], "image {0} of {1}", i, batch);
                single.Backward(dy.AsSpan(Classes * i, Classes));
            }

            for (int i = 0; i < model.Parameters.Count; i++)
            {
                float[] actual = model.Parameters[i].Gradient!.Span.ToArray(), expected = single.Parameters[i].Gradient!.Span.ToArray();
                float magnitude = expected.Max(MathF.Abs);
                magnitude.Should().BeGreaterThan(0);
                actual.Zip(expected, (a, e) => MathF.Abs(a - e)).Max().Should().BeLessThan(1e-5f * magnitude, "{0}, batch {1}", model.Parameters[i].Name, batch);
            }
        }
    }

    /// <summary>Behind a normalization images part between the large layer and where its gradient is kept, in the place of a larger tensor.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Steps_AnyThreadsAndWidth_GiveTheSameWeights(bool isNormalized)
    {
        foreach (int batch in Batches)
        {
            float[] expected = Train(isNormalized, batch, SimdLevels.Default, threads: 1);
            foreach (int threads in (int[])[2, 3, 8])
                Train(isNormalized, batch, SimdLevels.Default, threads).AsSpan().SequenceEqual(expected).Should().BeTrue("{0} threads, batch {1}", threads, batch);

            foreach (SimdLevel level in SimdLevels.Callable.Where(level => SimdLevels.HasFusedMultiplyAdd && level != SimdLevel.Scalar))
                Train(isNormalized, batch, level, threads: 2).AsSpan().SequenceEqual(expected).Should().BeTrue("{0}, batch {1}", level, batch);
        }
    }

    /// <summary>The network's output is a dense layer that shares its weights, or one behind it that does not.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Predict_ManyImages_HasTheBitsOfEachOnItsOwn(bool isLast)
    {
        // The third convolution's output could have the first one's place, but for the images still to come.
        ModelBuilder builder = new ModelBuilder(12, 12, 1).Conv2D(8, 3).ReLU().Conv2D(8, 3).Conv2D(8, 3).Flatten().Dense(280);
        InferenceModel model = (isLast ? builder : builder.ReLU().Dense(7)).Build(4).ToInference();
        int length = model.InputShape.Length, outputs = model.OutputShape.Length;
        float[] x = Images(37), one = new float[outputs];
        foreach (int images in (int[])[1, 2, 11, 37])
        {
            float[] y = new float[images * outputs];
            model.Predict(x.AsSpan(0, images * length), y);
            for (int i = 0; i < images; i++)
            {
                model.Predict(x.AsSpan(i * length, length), one);
                one.Should().Equal(y[(i * outputs)..((i + 1) * outputs)], "image {0} of {1}", i, images);
            }
        }
    }

    /// <summary>Two large dense layers read one tensor, so that the second's gradient is added to the first's; a third reads the second; behind them is a small one.</summary>
    private static Model Build()
    {
        ModelBuilder builder = new ModelBuilder(12, 12, 1).Conv2D(8, 3).ReLU().Flatten();
        Node trunk = builder.Current;
        builder.Dense(280);
        Node left = builder.Current;
        return builder.From(trunk).Dense(140).Dense(300).Concat(left).ReLU().Dense(Classes).Build(4);
    }

    private static Model Normalized() =>
        new ModelBuilder(24, 24, 1).Conv2D(32, 3).BatchNormalization().MaxPool2D(2).Flatten().Dense(20).ReLU().Dense(Classes).Build(4);

    private static float[] Images(int count) => TestData.Uniform(count * 12 * 12, 1);

    private static float[] Train(bool isNormalized, int batch, SimdLevel level, int threads)
    {
        Model model = isNormalized ? Normalized() : Build();
        model.Execution = new() { Level = level, ThreadCount = threads };
        float[] images = TestData.Uniform(batch * model.InputShape.Length, 1);
        int[] labels = TestData.Labels(batch, Classes, 2);
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-3f), batch);
        for (int step = 0; step < 3; step++)
        {
            int count = batch - step;
            session.Step(images.AsSpan(0, count * model.InputShape.Length), labels.AsSpan(0, count));
        }

        return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
    }
}
