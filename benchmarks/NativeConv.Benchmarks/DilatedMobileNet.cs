namespace NativeConv.Benchmarks;

/// <summary>MobileNet V1 (Howard et al., 2017) of width 0.5 at 224x224, whose last two stages keep their size: stride 1 and dilation 2.</summary>
internal static class DilatedMobileNet
{
    public const string Name = "mobilenet_dilated";

    private static readonly (int Filters, int Stride, int Dilation)[] Blocks =
    [
        (32, 1, 1), (64, 2, 1), (64, 1, 1), (128, 2, 1), (128, 1, 1),
        (256, 1, 2), (256, 1, 2), (256, 1, 2), (256, 1, 2), (256, 1, 2), (256, 1, 2), (512, 1, 2), (512, 1, 2),
    ];

    public static Model Build(ulong seed)
    {
        ModelBuilder builder = new ModelBuilder(height: 224, width: 224, channels: 3)
            .Conv2D(16, 3, stride: 2, padding: Around(1), useBias: false).BatchNormalization().ReLU();
        foreach ((int filters, int stride, int dilation) in Blocks)
            builder.SeparableConv2D(filters, 3, stride: stride, dilation: dilation, padding: Around(dilation), activation: Activation.ReLU, batchNormalization: true);

        return builder.GlobalAveragePool2D().Dense(1000).Build(seed);
    }

    // As PyTorch pads: "same" would put the odd cell of a stride of two at the bottom and right.
    private static Padding Around(int pad) => Padding.Explicit(pad, pad, pad, pad);
}
