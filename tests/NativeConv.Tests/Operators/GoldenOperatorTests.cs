using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Operators;

/// <summary>Every golden operator and optimizer through the public surface, at every width. Convolutions are in <c>ConvolutionAlgorithmTests</c> too, on guarded memory.</summary>
public sealed class GoldenOperatorTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "conv", MemberType = typeof(GoldenCases))]
    public void Convolution_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckConvolution(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "depthwise", MemberType = typeof(GoldenCases))]
    public void DepthwiseConvolution_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckDepthwiseConvolution(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "dense", MemberType = typeof(GoldenCases))]
    public void FullyConnected_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckFullyConnected(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "dense", MemberType = typeof(GoldenCases))]
    public void DenseLayer_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckDenseLayer(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "maxpool", MemberType = typeof(GoldenCases))]
    public void MaxPooling_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckMaxPooling(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "avgpool", MemberType = typeof(GoldenCases))]
    public void AveragePooling_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckAveragePooling(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "global_avgpool", MemberType = typeof(GoldenCases))]
    public void GlobalAveragePooling_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckGlobalAveragePooling(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "activation", MemberType = typeof(GoldenCases))]
    public void Activation_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckActivation(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "softmax_cross_entropy", MemberType = typeof(GoldenCases))]
    public void SoftmaxCrossEntropy_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckSoftmaxCrossEntropy(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "batchnorm", MemberType = typeof(GoldenCases))]
    public void BatchNormalization_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckBatchNormalization(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "batchnorm", MemberType = typeof(GoldenCases))]
    public void BatchNormalizationLayer_Golden_Matches(string name, SimdLevel level) => GoldenOperators.CheckBatchNormalizationLayer(GoldenCases.Load(name), On(level));

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "optimizer", MemberType = typeof(GoldenCases))]
    public void Optimizer_TwelveGoldenSteps_Match(string name, SimdLevel level) => GoldenOperators.CheckOptimizer(GoldenCases.Load(name), On(level));

    [Fact]
    public void Cases_OfEveryKind_AreAllTested() =>
        GoldenCases.All.Select(golden => golden.Op).Distinct().Should().BeEquivalentTo(
            "conv", "depthwise", "dense", "maxpool", "avgpool", "global_avgpool", "activation", "softmax_cross_entropy", "batchnorm", "optimizer", "network");

    private static ExecutionOptions On(SimdLevel level) => new() { Level = level, ThreadCount = 2 };
}
