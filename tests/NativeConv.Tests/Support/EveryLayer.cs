namespace NativeConv.Tests.Support;

/// <summary>A small network that has every layer of the library in it.</summary>
internal static class EveryLayer
{
    public static Model Build(ulong seed)
    {
        ModelBuilder builder = new ModelBuilder(9, 8, 2)
            .Normalize(scale: 0.5f, mean: 0.1f, deviation: 2)
            .Conv2D(6, new Size2D(3, 2), stride: 1, dilation: 1, groups: 2, activation: Activation.LeakyReLU)
            .BatchNormalization()
            .ReLU();
        Node start = builder.Current;
        builder.DepthwiseConv2D(3, dilation: 2, activation: Activation.SiLU).PointwiseConv2D(6, activation: Activation.HardSwish);
        builder.Add(start);
        Node sum = builder.Current;
        builder.SqueezeExcitation(2).Concat(sum)
            .SeparableConv2D(10, 3, depthMultiplier: 2, activation: Activation.ReLU, batchNormalization: true)
            .MaxPool2D(2)
            .SeparableConv2D(7, 3, dilation: 2, activation: Activation.Gelu)
            .AveragePool2D(2, stride: 1, padding: Padding.Same)
            .Dropout(0.25f);
        Node trunk = builder.Current;
        builder.Flatten().Dense(5, activation: Activation.Tanh);
        Node left = builder.Current;
        return builder.From(trunk).GlobalAveragePool2D().Concat(left).Dense(3).ClassNames("a", "b", "c").Build(seed);
    }
}
