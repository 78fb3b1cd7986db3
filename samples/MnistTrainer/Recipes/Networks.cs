using NativeConv;

namespace MnistTrainer;

/// <summary>The networks of the recipes.</summary>
internal static class Networks
{
    /// <summary>Depthwise-separable blocks with dilation and batch normalization; 23,178 trainable parameters.</summary>
    public static Model Separable(ImageKind images, ulong seed) => Input(images)
        .Conv2D(32, 3, useBias: false).BatchNormalization().ReLU()
        .SeparableConv2D(64, 3, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(128, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>The article's Keras listing, linear but for its poolings; 35,444 trainable parameters.</summary>
    public static Model Keras(ImageKind images, ulong seed) => Input(images)
        .DepthwiseConv2D(3)
        .Conv2D(64, 3, dilation: 2)
        .MaxPool2D(2)
        .DepthwiseConv2D(3)
        .Conv2D(32, 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>The article's section 4.3; 127,435 trainable parameters.</summary>
    public static Model Section43(ImageKind images, ulong seed) => Input(images)
        .Conv2D(64, 3)
        .DepthwiseConv2D(3)
        .PointwiseConv2D(1)
        .Conv2D(64, 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>Residual 3x3 convolutions; 75,114 trainable parameters.</summary>
    public static Model Best(ImageKind images, ulong seed) => Input(images)
        .Normalized(32, padding: Padding.Valid).MaxPool2D(2)
        .Normalized(32).Residual(32).MaxPool2D(2)
        .Normalized(64).Residual(64)
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>Separable convolutions of few channels; 7,514 trainable parameters.</summary>
    public static Model Tiny(ImageKind images, ulong seed) => Input(images)
        .Normalized(16).MaxPool2D(2)
        .Separable(32).Separable(32).MaxPool2D(2)
        .Separable(48).Separable(48)
        .GlobalAveragePool2D()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    /// <summary>Three convolutions that each see a smaller image; 26,914 trainable parameters.</summary>
    public static Model Quick(ImageKind images, ulong seed) => Input(images)
        .Normalized(8, 5, Padding.Valid).MaxPool2D(2)
        .Normalized(32, 3, Padding.Valid).MaxPool2D(2)
        .Normalized(64, 3, Padding.Valid)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    private static ModelBuilder Input(ImageKind images) => new ModelBuilder(images.Shape.Height, images.Shape.Width, images.Shape.Channels)
        .Normalize(scale: 1f / 255, images.Mean, images.Deviation)
        .ClassNames(images.ClassNames);

    private static ModelBuilder Normalized(this ModelBuilder builder, int filters, int kernelSize = 3, Padding padding = default) =>
        builder.Conv2D(filters, kernelSize, padding: padding, useBias: false).BatchNormalization().ReLU();

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
