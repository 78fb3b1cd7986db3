namespace NativeConv.Tests.Support;

/// <summary>A network whose convolutions train together with the max-poolings behind them: a first layer in several bands, depthwise with rows and columns left over, and one that leaves zeros out.</summary>
internal static class PooledNetwork
{
    public static Model Build(ulong seed) => new ModelBuilder(22, 57, 3)
        .Conv2D(80, 3, activation: Activation.ReLU).MaxPool2D(2)
        .DepthwiseConv2D(3, activation: Activation.ReLU6).MaxPool2D(2)
        .Conv2D(17, 3).MaxPool2D(2)
        .Flatten().Dense(3).ClassNames("a", "b", "c").Build(seed);
}
