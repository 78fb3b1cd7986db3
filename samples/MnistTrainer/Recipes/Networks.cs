using NativeConv;

namespace MnistTrainer;

/// <summary>The networks of the recipes; parameters are counted at width 1 and ten classes.</summary>
internal static class Networks
{
    /// <summary>Depthwise-separable blocks with dilation and batch normalization; 23,178 trainable parameters.</summary>
    public static Model Separable(ImageKind images, ulong seed) => Input(images)
        .Conv2D(images.Channels(32), 3, useBias: false).BatchNormalization().ReLU()
        .SeparableConv2D(images.Channels(64), 3, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(images.Channels(64), 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .SeparableConv2D(images.Channels(64), 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(images.Channels(128), 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>The article's Keras listing, linear but for its poolings; 35,444 trainable parameters.</summary>
    public static Model Keras(ImageKind images, ulong seed) => Input(images)
        .DepthwiseConv2D(3)
        .Conv2D(images.Channels(64), 3, dilation: 2)
        .MaxPool2D(2)
        .DepthwiseConv2D(3)
        .Conv2D(images.Channels(32), 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>The article's section 4.3; 127,435 trainable parameters.</summary>
    public static Model Section43(ImageKind images, ulong seed) => Input(images)
        .Conv2D(images.Channels(64), 3)
        .DepthwiseConv2D(3)
        .PointwiseConv2D(1)
        .Conv2D(images.Channels(64), 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    private static ModelBuilder Input(ImageKind images) => new ModelBuilder(images.Shape.Height, images.Shape.Width, images.Shape.Channels)
        .Normalize(scale: 1f / 255, images.Mean, images.Deviation)
        .ClassNames(images.ClassNames);
}
