namespace NativeConv.Serialization;

/// <summary>The one list of the layers that a file may name.</summary>
internal static class LayerKinds
{
    /// <exception cref="InvalidDataException">Nothing is known of the kind, or a setting is wrong.</exception>
    public static Layer Create(string kind, LayerConfiguration settings, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>> custom) => kind switch
    {
        "input" => InputLayer.From(settings),
        "normalize" => InputNormalization.From(settings),
        "conv2d" => Conv2D.From(settings),
        "depthwise_conv2d" => DepthwiseConv2D.From(settings),
        "pointwise_conv2d" => PointwiseConv2D.From(settings),
        "dense" => Dense.From(settings),
        "batch_normalization" => BatchNormalization.From(settings),
        "activation" => ActivationLayer.From(settings),
        "max_pool2d" => MaxPool2D.From(settings),
        "average_pool2d" => AveragePool2D.From(settings),
        "global_average_pool2d" => new GlobalAveragePool2D(),
        "flatten" => new Flatten(),
        "dropout" => Dropout.From(settings),
        "add" => new Add(),
        "multiply" => new Multiply(),
        "concat" => new Concat(),
        _ => custom.TryGetValue(kind, out Func<LayerConfiguration, Layer>? create)
            ? create(settings)
            : throw new InvalidDataException($"The layer kind '{kind}' is unknown; a layer of your own must be given when loading."),
    };
}
