using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Graph;

/// <summary>Shapes beyond what a tensor can hold: an error that names the sizes, before anything is allocated.</summary>
public sealed class AbsurdShapeTests
{
    private const int Most = int.MaxValue;

    public static TheoryData<string, Action, string> Absurd => new()
    {
        { "input", () => _ = new ModelBuilder(70_000, 70_000, 1), "70000" },
        { "input whose product wraps to 0", () => _ = new ModelBuilder(1 << 16, 1 << 16, 1 << 4), "65536" },
        { "input of nothing", () => _ = new ModelBuilder(0, 28, 1), "0x28x1" },
        { "input of less", () => _ = new ModelBuilder(-28, -28, 1), "-28" },
        { "filters", () => Digits().Conv2D(Most, 3), "2147483647" },
        { "filters of weights", () => Digits(channels: 64).Conv2D(100_000, 3, stride: 28).Conv2D(100_000, 1).Build(), "100000" },
        { "kernel", () => Digits().Conv2D(1, Most).Build(), "2147483647" },
        { "kernel whose product wraps", () => Digits().Conv2D(1, new Size2D(1 << 16, 1 << 16)).Build(), "65536" },
        { "dilation", () => Digits().Conv2D(1, 3, dilation: Most), "reaches 4294967295 cells" },
        { "dilation without padding", () => Digits().Conv2D(1, 3, dilation: 1 << 30, padding: Padding.Valid), "1073741824" },
        { "padding", () => Digits().Conv2D(1, 3, padding: Padding.Explicit(Most, Most, Most, Most)), "2147483647" },
        { "stride", () => Digits().Conv2D(1, 3, stride: 0), "0x0" },
        { "multiplier", () => Digits(channels: 3).DepthwiseConv2D(3, depthMultiplier: Most), "3" },
        { "multiplier of less", () => Digits().DepthwiseConv2D(3, depthMultiplier: -1), "-1" },
        { "units", () => Digits().Flatten().Dense(Most).Build(), "2147483647" },
        { "units of less", () => Digits().Flatten().Dense(-5), "-5" },
        { "pointwise", () => Digits().PointwiseConv2D(Most), "2147483647" },
        { "pool", () => Digits().MaxPool2D(Most), "2147483647" },
        { "concat", () => Digits(channels: 2_000_000).Concat([.. Enumerable.Repeat(Digits(channels: 2_000_000).Current, 2)]), "input" },
        { "geometry", () => _ = new Conv2DGeometry(Most, Most, Most, 1, Most, Padding.Same), "too large" },
        { "tensor", () => _ = new Tensor(1 << 16, 1 << 16), "65536" },
        { "tensor whose product wraps to 0", () => _ = new Tensor(1 << 16, 1 << 16, 1 << 16, 1 << 16), "65536" },
        { "step of too many images", () => Model().BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), Most), "2147483647" },
        { "step of less", () => Model().BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), -1), "-1" },
        { "all weights together", () => Digits(channels: 1).Conv2D(30_000, 1).PointwiseConv2D(30_000).PointwiseConv2D(60_000).Build(), "The weights up to 'pointwise_conv2d_1' are 2700" },
    };

    [Theory]
    [MemberData(nameof(Absurd))]
    public void Shape_BeyondWhatATensorHolds_IsAnArgumentErrorThatNamesIt(string what, Action act, string named)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        act.Should().Throw<ArgumentException>(what).WithMessage($"*{named}*");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(4 << 20, "nothing of that size is allocated first");
    }

    private static ModelBuilder Digits(int channels = 1) => new(28, 28, channels);

    private static Model Model() => new ModelBuilder(4, 4, 1).Flatten().Dense(2).Build();
}
