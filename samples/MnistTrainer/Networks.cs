using NativeConv;

namespace MnistTrainer;

/// <summary>A network and how it is trained.</summary>
/// <param name="Build">Makes it, untrained, from a seed.</param>
/// <param name="LearningRate">The highest learning rate.</param>
/// <param name="Schedule">The learning rate over the training; constant where null.</param>
internal sealed record Recipe(Func<ulong, Model> Build, float LearningRate, LearningRateSchedule? Schedule);

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

    public static Recipe Get(string name) => Recipes[name];

    /// <summary>Depthwise-separable blocks with dilation and batch normalization; 23,178 trainable parameters.</summary>
    private static Model Separable(ulong seed) => Digits()
        .Conv2D(32, 3, useBias: false).BatchNormalization().ReLU()
        .SeparableConv2D(64, 3, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .SeparableConv2D(64, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2)
        .SeparableConv2D(128, 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
        .GlobalAveragePool2D()
        .Dense(10)
        .Build(seed);

    /// <summary>The article's Keras listing, linear but for its poolings; 35,444 trainable parameters.</summary>
    private static Model Keras(ulong seed) => Digits()
        .DepthwiseConv2D(3)
        .Conv2D(64, 3, dilation: 2)
        .MaxPool2D(2)
        .DepthwiseConv2D(3)
        .Conv2D(32, 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(10)
        .Build(seed);

    /// <summary>The article's section 4.3; 127,435 trainable parameters.</summary>
    private static Model Section43(ulong seed) => Digits()
        .Conv2D(64, 3)
        .DepthwiseConv2D(3)
        .PointwiseConv2D(1)
        .Conv2D(64, 3, dilation: 2)
        .MaxPool2D(2)
        .Flatten()
        .Dense(10)
        .Build(seed);

    private static ModelBuilder Digits() => new ModelBuilder(height: 28, width: 28, channels: 1)
        .Normalize(scale: 1f / 255, mean: 0.1307f, deviation: 0.3081f)
        .ClassNames("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
}
