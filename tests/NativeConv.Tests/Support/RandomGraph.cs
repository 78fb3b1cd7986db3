using NativeConv.Random;

namespace NativeConv.Tests.Support;

/// <summary>Small graphs by number: residuals, concatenations, squeeze-and-excitation, normalization and pooling, put together at random.</summary>
internal static class RandomGraph
{
    // Smooth ones alone: a difference quotient across a kink of ReLU or a tie of a maximum says nothing.
    private static readonly Activation[] Smooth = [Activation.Linear, Activation.Tanh, Activation.Sigmoid, Activation.SiLU, Activation.Gelu];

    public static Model Build(ulong seed, int number)
    {
        RandomStream random = TestData.Stream(seed, (2UL << 48) | (uint)number);
        var builder = new ModelBuilder(Between(ref random, 3, 6), Between(ref random, 3, 6), Between(ref random, 1, 3));
        builder.Conv2D(Between(ref random, 2, 6), new Size2D(Between(ref random, 1, 3), Between(ref random, 1, 3)), activation: Function(ref random));
        int blocks = Between(ref random, 1, 3);
        for (int block = 0; block < blocks; block++)
            Append(builder, ref random);

        if (random.NextBelow(2) == 0)
            builder.GlobalAveragePool2D();
        else
            builder.Flatten();
        return builder.Dense(Between(ref random, 2, 4)).Build((ulong)number);
    }

    private static void Append(ModelBuilder builder, ref RandomStream random)
    {
        Node start = builder.Current;
        int channels = start.Shape.Channels, dilation = Between(ref random, 1, 2);
        switch (random.NextBelow(8))
        {
            case 0:
                builder.DepthwiseConv2D(3, dilation: dilation, activation: Function(ref random)).PointwiseConv2D(channels).Add(start);
                break;
            case 1:
                builder.Conv2D(channels, 3, dilation: dilation, activation: Function(ref random)).Multiply(start);
                break;
            case 2:
                builder.PointwiseConv2D(Between(ref random, 1, 5), activation: Function(ref random));
                Node left = builder.Current;
                builder.From(start).DepthwiseConv2D(3, depthMultiplier: Between(ref random, 1, 2)).Concat(left, start);
                break;
            case 3:
                builder.BatchNormalization().Activate(Activation.Tanh);
                break;
            case 4:
                builder.SqueezeExcitation(2);
                break;
            case 5:
                builder.AveragePool2D(2, stride: 1, padding: Padding.Same).Add(start);
                break;
            case 6:
                builder.MaxPool2D(2, stride: 1, padding: Padding.Same).PointwiseConv2D(channels).Add(start);
                break;
            default:
                builder.Conv2D(Between(ref random, 1, 5), 3, stride: 2, activation: Function(ref random));
                break;
        }
    }

    private static Activation Function(ref RandomStream random) => Smooth[random.NextBelow((uint)Smooth.Length)];

    private static int Between(ref RandomStream random, int low, int high) => low + (int)random.NextBelow((uint)(high - low + 1));
}
