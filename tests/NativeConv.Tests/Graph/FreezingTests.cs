using FluentAssertions;
using NativeConv.Optimizers;
using NativeConv.Random;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;
using Xunit.Sdk;

namespace NativeConv.Tests.Graph;

/// <summary>Layers that training leaves as they are, and the work that it then leaves out.</summary>
public sealed class FreezingTests
{
    private const int Batch = 12;

    [Fact]
    public void Freeze_ByPattern_NamesLayersInOrder()
    {
        Model model = Blocks();
        model.FrozenLayers.Should().BeEmpty();
        long all = model.TrainableParameterCount;
        model.Freeze("block2/norm", "block1/*");
        model.FrozenLayers.Should().Equal("block1/conv", "block1/norm", "block2/norm");
        model.Parameter("block1/norm.running_mean").IsFrozen.Should().BeTrue();
        model.Parameter("block1/conv.kernel").IsTrainable.Should().BeFalse();
        model.Parameter("block2/conv.kernel").IsTrainable.Should().BeTrue();
        model.TrainableParameterCount.Should().Be(all - (9 * 4) - 8 - 10);
        model.Summary().Should().EndWith("frozen: block1/conv, block1/norm, block2/norm");
        model.Clone().FrozenLayers.Should().Equal(model.FrozenLayers);
        model.Unfreeze("*norm");
        model.FrozenLayers.Should().Equal("block1/conv");
        model.Unfreeze("*");
        model.FrozenLayers.Should().BeEmpty();
        model.TrainableParameterCount.Should().Be(all);
    }

    [Theory]
    [InlineData("block3/*")]
    [InlineData("block1/relu")]
    [InlineData("block1/conv.kernel")]
    [InlineData("")]
    public void Freeze_NoSuchLayer_NamesThoseThereAreAndChangesNothing(string pattern)
    {
        Model model = Blocks();
        Action freeze = () => model.Freeze("head", pattern), unfreeze = () => model.Unfreeze(pattern);
        freeze.Should().Throw<ArgumentException>().WithParameterName("patterns")
            .WithMessage($"No layer with parameters is named '{pattern}'; there are block1/conv, block1/norm, block2/conv, block2/norm, head.*");
        unfreeze.Should().Throw<ArgumentException>();
        model.FrozenLayers.Should().BeEmpty();
    }

    [Theory]
    [InlineData("block1/*")]
    [InlineData("block?/norm")]
    [InlineData("block2/*")]
    [InlineData("*conv")]
    [InlineData("head")]
    [InlineData("block*")]
    public void Steps_LeaveWhatIsFrozenAsItIsToTheBit(string pattern)
    {
        foreach (Optimizer optimizer in (Optimizer[])[new AdamW(0.02f, weightDecay: 0.1f), new Sgd(0.1f, momentum: 0.9f), new RmsProp(0.01f)])
        {
            Model model = Blocks();
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), optimizer, Batch, clipping: GradientClipping.ByNorm(1));
            Steps(session, model, 2);
            model.Freeze(pattern);
            Dictionary<string, float[]> before = Values(model), moments = Moments(model, session.OptimizerState);
            Steps(session, model, 3);
            foreach (Parameter parameter in model.Parameters)
            {
                string what = $"{parameter.Name} with {optimizer}";
                bool same = parameter.Value.Span.SequenceEqual(before[parameter.Name]);
                same.Should().Be(parameter.IsFrozen, what);
                if (parameter.Gradient != null)
                    Moments(model, session.OptimizerState)[parameter.Name].SequenceEqual(moments[parameter.Name]).Should().Be(parameter.IsFrozen, what);
            }

            // Trained again, it moves again.
            model.Unfreeze("*");
            Steps(session, model, 1);
            foreach (Parameter parameter in model.Parameters)
                parameter.Value.Span.SequenceEqual(before[parameter.Name]).Should().BeFalse(parameter.Name);
        }
    }

    [Theory]
    [InlineData("conv2d*")]
    [InlineData("*normalization")]
    [InlineData("separable*")]
    [InlineData("*conv2d*")]
    [InlineData("*reduce")]
    [InlineData("[all but dense_1]")]
    public void TwentySteps_PartlyFrozen_AnyThreadsAndWidth_GiveTheSameWeights(string pattern)
    {
        float[] expected = Train(SimdLevels.Supported.Last(), 1);
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (int threads in (int[])[2, 3, 8])
            Train(SimdLevels.Supported.Last(), threads).Should().Equal(expected, "{0} threads", threads);

        foreach (SimdLevel level in SimdLevels.Callable.Where(_ => SimdLevels.HasFusedMultiplyAdd))
            Train(level, 2).Should().Equal(expected, level.ToString());

        float[] Train(SimdLevel level, int threads)
        {
            Model model = EveryLayer.Build(seed: 5);
            model.Execution = new() { Level = level, ThreadCount = threads };
            Freeze(model);
            Dictionary<string, float[]> before = Values(model);
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(0.1f), new AdamW(1e-3f), 37, seed: 4, GradientClipping.ByNorm(1));
            float[] images = TestData.Uniform(37 * model.InputShape.Length, 1);
            for (int step = 0; step < 20; step++)
                session.Step(images.AsSpan(0, (37 - (step % 3)) * model.InputShape.Length), TestData.Labels(37 - (step % 3), 3, 2));

            model.FrozenLayers.Should().NotBeEmpty();
            foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsFrozen))
                parameter.Value.Span.SequenceEqual(before[parameter.Name]).Should().BeTrue(parameter.Name);

            return [.. model.Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())];
        }

        void Freeze(Model model)
        {
            model.Freeze(pattern.StartsWith('[') ? "*" : pattern);
            if (pattern.StartsWith('['))
                model.Unfreeze("dense_1");
        }
    }

    /// <summary>Without batch normalization among the frozen, freezing is training with those gradients set to zero.</summary>
    [Fact]
    public void Steps_PartlyFrozen_AreThoseWithZeroGradients()
    {
        Model frozen = EveryLayer.Build(seed: 7), zeroed = frozen.Clone();
        frozen.Freeze("conv2d", "separable_conv2d_pointwise", "separable_conv2d_1*", "*expand", "dense");
        string[] names = [.. frozen.Parameters.Where(parameter => parameter.IsFrozen).Select(parameter => parameter.Name)];
        Optimizer left = new Adam(0.01f), right = new Adam(0.01f);
        float[] images = TestData.Uniform(Batch * frozen.InputShape.Length, 1), y = new float[Batch * 3], other = new float[y.Length];
        for (int step = 0; step < 6; step++)
        {
            float[] dy = TestData.Uniform(y.Length, (ulong)step);
            Run(frozen, y, dy);
            Run(zeroed, other, dy);
            y.Should().Equal(other);
            foreach (string name in names)
            {
                frozen.Parameter(name).Gradient?.Span.ToArray().Should().OnlyContain(value => value == 0, name);
                zeroed.Parameter(name).Gradient?.Span.Clear();
            }

            frozen.Step(left);
            zeroed.Step(right);
        }

        foreach (Parameter parameter in frozen.Parameters)
            parameter.Value.Span.ToArray().Should().Equal(zeroed.Parameter(parameter.Name).Value.Span.ToArray(), parameter.Name);

        void Run(Model model, float[] outputs, float[] gradients)
        {
            model.ZeroGradients();
            model.Forward(images, outputs);
            model.Backward(gradients);
        }
    }

    /// <summary>Gradients through frozen layers, normalization by running statistics included, against differences of the oracle.</summary>
    [Fact]
    public void RandomGraphs_PartlyFrozen_AgreeWithDifferences()
    {
        const int Images = 3;
        int frozenNormalizations = 0;
        for (int number = 0; number < 80; number++)
        {
            Model model = RandomGraph.Build(2, number);
            RandomStream random = TestData.Stream(3, (ulong)number);
            foreach (Node node in model.Nodes.Where(node => model.Parameters.Any(parameter => parameter.Name.StartsWith(node.Name + ".", StringComparison.Ordinal))))
            {
                if (random.NextBelow(2) == 0)
                    model.Freeze(node.Name);
            }

            foreach (Parameter parameter in model.Parameters.Where(p => p.Role != ParameterRole.Kernel))
                TestData.Uniform(parameter.Value.Length, (ulong)number, 0.3f, 1).CopyTo(parameter.Value.Span);

            frozenNormalizations += model.FrozenLayers.Count(name => name.Contains("normalization", StringComparison.Ordinal));
            float[] x = TestData.Uniform(Images * model.InputShape.Length, 1), dy = TestData.Uniform(Images * model.OutputShape.Length, 2), y = new float[dy.Length];
            var oracle = new ModelOracle(model.Clone(), Images);
            Dictionary<string, float[]> before = Values(model);
            model.Execution = new() { ThreadCount = 2 };
            try
            {
                model.Forward(x, y);
                model.Backward(dy);
                TestData.ToDouble(y).Should().Equal(oracle.Forward(TestData.ToDouble(x)), (a, b) => Math.Abs(a - b) <= 1e-4 * (1 + Math.Abs(b)));
                Parameter[] trained = [.. model.Parameters.Where(p => p.IsTrainable)];
                double floor = 0.01 * trained.Select(p => TestData.ToDouble(p.Gradient!.Span).Max(Math.Abs)).DefaultIfEmpty().Max();
                foreach (Parameter parameter in trained)
                {
                    GradientCheck.Verify(
                        GradientCheck.Weighted(value => oracle.Forward(TestData.ToDouble(x), parameter.Name, value), dy),
                        parameter.Value.Span, parameter.Gradient!.Span, seed: 3, entries: 6, parameter.Name, floor);
                }

                foreach (Parameter parameter in model.Parameters.Where(p => p.IsFrozen))
                {
                    parameter.Value.Span.ToArray().Should().Equal(before[parameter.Name], parameter.Name);
                    parameter.Gradient?.Span.ToArray().Should().OnlyContain(value => value == 0, parameter.Name);
                }
            }
            catch (Exception e)
            {
                throw new XunitException($"RandomGraph.Build(2, {number}): {e.Message}\n{model.Summary()}", e);
            }
        }

        frozenNormalizations.Should().BePositive();
    }

    [Fact]
    public void FrozenNormalization_Trains_AsItPredicts()
    {
        Model model = Blocks();
        Steps(model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.01f), Batch), model, 3);
        model.Freeze("*norm");
        float[] images = Images(model, 9), trained = new float[Batch * 3], predicted = new float[trained.Length];
        model.Forward(images, trained);
        model.Predict(images, predicted);
        trained.Should().Equal(predicted);

        // One value a channel has no variance of its own, and needs none.
        Model single = new ModelBuilder(1, 1, 3).BatchNormalization().Dense(2).Build(seed: 1);
        single.Freeze("batch_normalization");
        single.BeginTraining(Loss.SoftmaxCrossEntropy(), new Sgd(0.1f), 1).Step([1, 2, 3], [0]).Loss.Should().BePositive();
    }

    [Fact]
    public void Plan_LeavesOutWhatIsFrozen()
    {
        Model model = Blocks();
        string all = Plan(), again;
        all.Should().Contain("block1/conv'").And.Contain("block1/norm#1").And.Contain("block1/norm'#1");
        Stages(all).Should().BeGreaterThan(4);

        // Below the lowest trained layer nothing goes backward, and frozen normalization waits for no batch.
        model.Freeze("block*");
        string head = Plan();
        Stages(head).Should().Be(1);
        head.Should().Contain("head'").And.NotContain("block1/conv'").And.NotContain("block2/norm'").And.NotContain("#");
        PrivateFloats(head).Should().Be(Batch * (Padded(8 * 7 * 5 * 3) + Padded(3)));
        Bytes(head).Should().BeLessThan(2 * Bytes(all) / 3);

        // A frozen layer above a trained one passes its gradient on, and has no place for its own.
        model.Unfreeze("*");
        model.Freeze("block2/*");
        string middle = Plan();
        middle.Should().Contain("block2/conv'").And.Contain("block2/norm'").And.NotContain("block2/norm'#1").And.Contain("block1/norm'#1").And.Contain("block1/conv'");
        PrivateFloats(middle).Should().Be(Batch * (Padded(9 * 4) + (2 * Padded(4)) + Padded(8 * 7 * 5 * 3) + Padded(3)));
        model.Unfreeze("*");
        again = Plan();
        again.Should().Be(all);

        string Plan() => model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch).ToString();
        static int Stages(string plan) => plan.Split('\n').Count(line => line.StartsWith("stage", StringComparison.Ordinal));
        static long Padded(int length) => (length + 15) / 16 * 16;
        static long PrivateFloats(string plan) => Number(plan, " private gradients") / sizeof(float);
        static long Bytes(string plan) => Number(plan, " in all");
        static long Number(string plan, string after) =>
            long.Parse(plan[..plan.IndexOf(after, StringComparison.Ordinal)].Split(' ')[^1].Replace(",", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void WideDense_Frozen_SumsNoSlices()
    {
        Model model = new ModelBuilder(6, 6, 20).Conv2D(20, 1).Flatten().Dense(40, name: "wide").Dense(3).Build(8), whole = model.Clone();
        float[] x = TestData.Uniform(5 * model.InputShape.Length, 1), y = new float[15], dy = TestData.Uniform(15, 2);
        model.Freeze("wide");
        foreach (Model run in (Model[])[model, whole])
        {
            run.Forward(x, y);
            run.Backward(dy);
        }

        model.Parameter("wide.kernel").Gradient!.Span.ToArray().Should().OnlyContain(value => value == 0);
        foreach (string name in (string[])["conv2d.kernel", "conv2d.bias", "dense.kernel", "dense.bias"])
            model.Parameter(name).Gradient!.Span.ToArray().Should().Equal(whole.Parameter(name).Gradient!.Span.ToArray(), name);
    }

    [Fact]
    public void Everything_Frozen_IsNothingToTrain()
    {
        Model model = Blocks();
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch);
        model.Freeze("*");
        Action begin = () => model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Batch), step = () => Steps(session, model, 1);
        begin.Should().Throw<InvalidOperationException>().WithMessage("*every layer*frozen*");
        step.Should().Throw<InvalidOperationException>().WithMessage("*every layer*frozen*");

        // By hand there is a forward pass, and a backward pass that does nothing.
        float[] images = Images(model, 1), y = new float[Batch * 3], predicted = new float[y.Length];
        model.Forward(images, y);
        model.Backward(y);
        model.Predict(images, predicted);
        y.Should().Equal(predicted);
        foreach (Parameter parameter in model.Parameters)
            parameter.Gradient?.Span.ToArray().Should().OnlyContain(value => value == 0, parameter.Name);
    }

    [Fact]
    public void Freezing_BetweenForwardAndBackward_NeedsAnotherForward()
    {
        Model model = Blocks();
        float[] images = Images(model, 1), y = new float[Batch * 3];
        model.Forward(images, y);
        model.Freeze("head");
        Action backward = () => model.Backward(y);
        backward.Should().Throw<InvalidOperationException>().WithMessage("*frozen or unfrozen*");
        model.Forward(images, y);
        backward.Should().NotThrow();
    }

    [Fact]
    public void Gradients_OfWhatIsFrozen_CountInNoNorm()
    {
        Model model = Blocks();
        model.Parameter("head.bias").Gradient!.Span.Fill(float.NaN);
        model.Freeze("head");
        model.Parameter("block1/norm.beta").Gradient!.Span.Fill(1);
        float[] before = model.Parameter("block1/norm.beta").Value.Span.ToArray();
        model.Step(new Sgd(0.5f));
        model.Parameter("block1/norm.beta").Value.Span.ToArray().Should().Equal(before.Select(value => value - 0.5f));
    }

    private static void Steps(TrainingSession session, Model model, int count)
    {
        for (int step = 0; step < count; step++)
            session.Step(Images(model, (ulong)session.StepCount), TestData.Labels(Batch, 3, 2));
    }

    private static float[] Images(Model model, ulong seed) => TestData.Uniform(Batch * model.InputShape.Length, seed);

    private static Dictionary<string, float[]> Values(Model model) => model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Span.ToArray());

    private static Dictionary<string, float[]> Moments(Model model, OptimizerState state) => model.Store.Trained.ToDictionary(
        place => place.Parameter.Name,
        place => Enumerable.Range(0, state.Kinds).SelectMany(kind => state.Moment(kind, place.Offset, place.Parameter.Value.Length).ToArray()).ToArray());

    private static Model Blocks() => new ModelBuilder(8, 7, 1)
        .Conv2D(4, 3, useBias: false, name: "block1/conv").BatchNormalization(name: "block1/norm").ReLU("block1/relu")
        .Conv2D(5, 3, useBias: false, name: "block2/conv").BatchNormalization(name: "block2/norm").Activate(Activation.Tanh)
        .Flatten().Dense(3, name: "head").Build(seed: 3);
}
