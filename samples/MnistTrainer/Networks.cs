using NativeConv;

namespace MnistTrainer;

/// <summary>What a network must know of its images.</summary>
/// <param name="Shape">The shape of one.</param>
/// <param name="ClassNames">What its classes are called.</param>
/// <param name="Mean">The mean of values from 0 to 1.</param>
/// <param name="Deviation">Their deviation.</param>
internal sealed record ImageKind(ImageShape Shape, IReadOnlyList<string> ClassNames, float Mean, float Deviation)
{
    /// <summary>MNIST's digits, which the drawn ones are made after.</summary>
    public static ImageKind Mnist { get; } = new(new(28, 28, 1), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], 0.1307f, 0.3081f);
}

/// <summary>A network and how it is trained.</summary>
/// <param name="Make">Makes it, untrained, for images of a kind, from a seed.</param>
/// <param name="LearningRate">The highest learning rate.</param>
/// <param name="Schedule">The learning rate over the training; constant where null.</param>
internal sealed record Recipe(Func<ImageKind, ulong, Model> Make, float LearningRate, LearningRateSchedule? Schedule)
{
    /// <summary>Makes it, untrained, for MNIST's images.</summary>
    public Model Build(ulong seed) => Make(ImageKind.Mnist, seed);
}

/// <summary>The networks that the trainer knows.</summary>
internal static class Networks
{
    public const string Default = "separable";

    private static readonly Dictionary<string, Recipe> Recipes = new()
    {
        ["separable"] = new(Separable, 4e-3f, LearningRateSchedule.OneCycle()),
        ["keras"] = new(Keras, 1e-3f, null),
        ["section43"] = new(Section43, 1e-3f, null),
    };

    public static IEnumerable<string> Names => Recipes.Keys;

    /// <summary>What <c>--augment</c> does: as much as leaves a digit of 28 x 28 pixels itself.</summary>
    public static Augmentation Augmentation { get; } = new() { Shift = 2, Rotation = 10, Scale = 0.1f, Shear = 0.15f, Elastic = 1.5f };

    public static Recipe Get(string name) => Recipes[name];

    /// <summary>Depthwise-separable blocks with dilation and batch normalization; 23,178 trainable parameters.</summary>
    private static Model Separable(ImageKind images, ulong seed) => Input(images)
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
    private static Model Keras(ImageKind images, ulong seed) => Input(images)
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
    private static Model Section43(ImageKind images, ulong seed) => Input(images)
        .Conv2D(64, 3)
        .DepthwiseConv2D(3)
        .PointwiseConv2D(1)
        .Conv2D(64, 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(images.ClassNames.Count)
        .Build(seed);

    private static ModelBuilder Input(ImageKind images) => new ModelBuilder(images.Shape.Height, images.Shape.Width, images.Shape.Channels)
        .Normalize(scale: 1f / 255, images.Mean, images.Deviation)
        .ClassNames(images.ClassNames);
}
