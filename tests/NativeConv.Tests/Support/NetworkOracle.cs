using System.Globalization;
using System.Text.RegularExpressions;

namespace NativeConv.Tests.Support;

/// <summary>A golden network in double precision: logits and loss as a function of one of its parameters.</summary>
public sealed partial class NetworkOracle(GoldenCase golden)
{
    private readonly string[] _layers = golden.Texts("layers");
    private readonly int[] _labels = Array.ConvertAll(golden["labels"], label => (int)label);

    public double Loss(string parameter, double[] value) =>
        LayerOracle.SoftmaxCrossEntropy(Logits(parameter, value), _labels, golden.Shape("logits")[1]);

    /// <summary>The training-mode logits, with <c>layer.weight</c> or <c>layer.bias</c> replaced where one is named.</summary>
    public double[] Logits(string? parameter = null, double[]? value = null)
    {
        int[] shape = golden.Shape("x");
        int images = shape[0];
        var image = new ImageShape(shape[1], shape[2], shape[3]);
        double[] x = TestData.ToDouble(golden["x"]);
        for (int i = 0; i < _layers.Length; i++)
            (x, image) = Apply(_layers[i], i, x, image);
        return x;

        double[]? Parameter(int layer, string name) => parameter == $"{layer}.{name}"
            ? value
            : golden.Find($"init.{layer}.{name}") is { } stored ? TestData.ToDouble(stored) : null;

        (double[] Y, ImageShape Image) Apply(string text, int layer, double[] x, ImageShape image)
        {
            int kernel = Number(text, "kernel_size", 1), stride = Number(text, "stride", 1);
            switch (text[..text.IndexOf('(')])
            {
                case "Conv2d":
                    int pad = Number(text, "padding", 0), inputs = image.Channels, outputs = Number(Outputs(), text);
                    var window = new Conv2DGeometry(
                        image.Height, image.Width, kernel, stride, Number(text, "dilation", 1), Padding.Explicit(pad, pad, pad, pad));
                    var sizes = new ConvolutionCase(images, window, inputs, outputs, Number(text, "groups", 1));
                    return (
                        ConvolutionOracle.Forward(sizes, x, Parameter(layer, "weight")!, Parameter(layer, "bias")),
                        new(window.OutputHeight, window.OutputWidth, outputs));
                case "MaxPool2d":
                    var pooling = new Conv2DGeometry(image.Height, image.Width, kernel, stride, 1, Padding.Valid);
                    return (
                        LayerOracle.MaxPool(new(images, pooling, image.Channels), x),
                        new(pooling.OutputHeight, pooling.OutputWidth, image.Channels));
                case "BatchNorm2d":
                    return (LayerOracle.BatchNormalization(x, Parameter(layer, "weight")!, Parameter(layer, "bias")!), image);
                case "ReLU":
                    return (LayerOracle.Activation("relu", x), image);
                case "AdaptiveAvgPool2d":
                    return (LayerOracle.GlobalAveragePool(images, image.Pixels, image.Channels, x), new(1, 1, image.Channels));
                case "Flatten":
                    return (x, new(1, 1, image.Length));
                case "Linear":
                    double[] b = Parameter(layer, "bias")!;
                    return (LayerOracle.Dense(x, Parameter(layer, "weight")!, b, image.Length, b.Length), new(1, 1, b.Length));
                default:
                    throw new InvalidDataException($"'{golden.Name}' has the unknown layer {text}.");
            }
        }
    }

    /// <summary>The number of <c>name=3</c> or <c>name=(3, 3)</c>.</summary>
    private static int Number(string layer, string name, int otherwise)
    {
        Match match = Regex.Match(layer, $@"\b{name}=\(?(\d+)");
        return match.Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : otherwise;
    }

    private static int Number(Regex pattern, string layer) => int.Parse(pattern.Match(layer).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Conv2d\(\d+, (\d+)")]
    private static partial Regex Outputs();
}
