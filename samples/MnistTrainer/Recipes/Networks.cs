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

    /// <summary>Residual 3x3 convolutions; 75,114 trainable parameters.</summary>
    public static Model Best(ImageKind images, ulong seed) => Input(images)
        .Normalized(images.Channels(32), padding: Padding.Valid).MaxPool2D(2)
        .Normalized(images.Channels(32)).Residual(images.Channels(32)).MaxPool2D(2)
        .Normalized(images.Channels(64)).Residual(images.Channels(64))
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>Separable convolutions of few channels; 7,514 trainable parameters.</summary>
    public static Model Tiny(ImageKind images, ulong seed) => Input(images)
        .Normalized(images.Channels(16)).MaxPool2D(2)
        .Separable(images.Channels(32)).Separable(images.Channels(32)).MaxPool2D(2)
        .Separable(images.Channels(48)).Separable(images.Channels(48))
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>Strides in place of poolings; 34,474 trainable parameters.</summary>
    public static Model Quick(ImageKind images, ulong seed) => Input(images)
        .Normalized(images.Channels(32), 5, stride: 2, Padding.Valid)
        .Normalized(images.Channels(32), stride: 2, padding: Padding.Valid)
        .Normalized(images.Channels(64), padding: Padding.Valid)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    private static ModelBuilder Input(ImageKind images) => new ModelBuilder(images.Shape.Height, images.Shape.Width, images.Shape.Channels)
        .Normalize(scale: 1f / 255, images.Mean, images.Deviation)
        .ClassNames(images.ClassNames);

    private static ModelBuilder Normalized(this ModelBuilder builder, int filters, int kernelSize = 3, int stride = 1, Padding padding = default) =>
        builder.Conv2D(filters, kernelSize, stride, padding: padding, useBias: false).BatchNormalization().ReLU();

    /// <summary>A convolution whose result is added to what it came from.</summary>
    private static ModelBuilder Residual(this ModelBuilder builder, int filters)
    {
        Node input = builder.Current;
        return builder.Conv2D(filters, 3, useBias: false).BatchNormalization().Add(input).ReLU();
    }

    /// <summary>A separable convolution that is normalized once, after both its parts.</summary>
    private static ModelBuilder Separable(this ModelBuilder builder, int filters) =>
        builder.DepthwiseConv2D(3, useBias: false).PointwiseConv2D(filters, useBias: false).BatchNormalization().ReLU();
}
