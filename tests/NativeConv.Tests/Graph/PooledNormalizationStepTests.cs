using FluentAssertions;
using NativeConv.Simd;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Training where a max-pooling reads a batch normalization, which then pools before it normalizes.</summary>
public sealed class PooledNormalizationStepTests
{
    /// <summary>Two or three images a chunk, which a worker takes at once.</summary>
    private const int Batch = 150;

    /// <summary>The normalization pools, in its first stage, and keeps what won; the pooling normalizes it, forward and where its output is needed again.</summary>
    [Fact]
    public void Plan_KeepsWinnersAlone()
    {
        string plan = Build().Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString();
        plan.Should().Contain("stage 0: input conv2d batch_normalization[ReLU] max_pool2d");
        plan.Should().Contain("stage 1: max_pool2d#1 conv2d_1 batch_normalization_1");
        plan.Should().Contain("(max_pool2d_1#1) conv2d_2' max_pool2d_1'+batch_normalization_2'");
        plan.Should().Contain("barrier: max_pool2d'+batch_normalization'#1[ReLU]");
        plan.Should().Contain($"  batch_normalization: whole batch, {Batch * 6 * 4 * 20 * sizeof(float):N0} bytes");
        plan.Should().Contain("  max_pool2d_1: per worker");
    }

    /// <summary>Against poolings behind a second rectifier, or a dropout that drops nothing: neither changes a value.</summary>
    [Fact]
    public void Steps_DoWhatNormalizingBeforePoolingDoes()
    {
        Model model = Build(), twin = Build(Activation.ReLU);
        twin.Plan(Loss.SoftmaxCrossEntropy(), Batch).ToString().Should().NotContain("+batch_normalization");
        float[] expected = Train(twin, threads: 1, SimdLevels.Default), actual = Train(model, threads: 1, SimdLevels.Default);
        actual.Should().NotEqual(expected, "sums are of winners alone");
        float largest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
            actual[i].Should().BeApproximately(expected[i], 1e-5f * largest, "value {0}", i);
    }

    [Fact]
    public void Steps_AnyThreadsAndWidth_GiveTheSameBits()
    {
        Model model = Build();
        float[] expected = Train(model, threads: 1, SimdLevels.Supported.Last());
        expected.Should().OnlyContain(value => float.IsFinite(value));
        foreach (SimdLevel level in SimdLevels.Callable.Where(level => SimdLevels.HasFusedMultiplyAdd || level == SimdLevels.Supported.Last()))
            Train(model, threads: 3, level).Should().Equal(expected, level.ToString());
    }

    /// <summary>Behind a convolution and a sum, with an activation and without, and one whose pooling ends the network.</summary>
    internal static Model Build(params Activation[] beforePooling)
    {
        ModelBuilder builder = Then(new ModelBuilder(12, 8, 2).Conv2D(20, 3).BatchNormalization().ReLU()).MaxPool2D(2);
        Node start = builder.Current;
        builder.Conv2D(20, 3).BatchNormalization().Add(start).BatchNormalization();
        if (beforePooling.Length > 0)
            builder.Dropout(0);

        builder.MaxPool2D(new Size2D(2, 2)).Conv2D(3, new Size2D(2, 1), padding: Padding.Valid).BatchNormalization().Activate(Activation.ReLU6);
        return Then(builder).MaxPool2D(2).Flatten().Build(seed: 8);

        ModelBuilder Then(ModelBuilder before)
        {
            foreach (Activation function in beforePooling)
                before.Activate(function);

            return before;
        }
    }

    /// <summary>Two steps, where gamma turns the order of the first channels around and leaves none among the last.</summary>
    private static float[] Train(Model model, int threads, SimdLevel level)
    {
        model = model.Clone();
        foreach (Parameter gamma in model.Parameters.Where(parameter => parameter.Role == ParameterRole.Gamma))
            (gamma.Value.Span[0], gamma.Value.Span[^1]) = (-0.8f, 0);

        return PlannedSteps.Run(model, Batch, threads, level);
    }
}
