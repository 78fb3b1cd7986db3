using System.Globalization;
using System.Text.RegularExpressions;

namespace NativeConv.Tests.Support;

/// <summary>A golden network built as a model, with its initial parameters.</summary>
internal sealed partial class GoldenNetwork
{
    private readonly GoldenCase _golden;
    private readonly List<(string Golden, Parameter Parameter)> _parameters = [];

    public GoldenNetwork(GoldenCase golden)
    {
        _golden = golden;
        int[] shape = golden.Shape("x");
        var builder = new ModelBuilder(shape[1], shape[2], shape[3]);
        var nodes = new List<(int Layer, Node Node)>();
        string[] layers = golden.Texts("layers");
        for (int i = 0; i < layers.Length; i++)
        {
            Append(builder, layers[i]);
            nodes.Add((i, builder.Current));
        }

        Model = builder.Build();
        Labels = Array.ConvertAll(golden["labels"], label => (int)label);
        foreach ((int layer, Node node) in nodes)
        {
            foreach (Parameter parameter in Model.Parameters.Where(p => p.IsTrainable && p.Name.StartsWith(node.Name + ".", StringComparison.Ordinal)))
            {
                string kind = parameter.Role is ParameterRole.Kernel or ParameterRole.Gamma ? "weight" : "bias";
                _parameters.Add(($"{layer}.{kind}", parameter));
                golden[$"init.{layer}.{kind}"].CopyTo(parameter.Value.Span);
            }
        }
    }

    public Model Model { get; }

    public int[] Labels { get; }

    public float[] Images => _golden["x"];

    /// <summary>The parameters by their golden names.</summary>
    public IReadOnlyList<(string Golden, Parameter Parameter)> Parameters => _parameters;

    /// <summary>Trains for three steps, and holds the first gradients, the losses and the weights to the golden ones.</summary>
    public void CheckThreeSteps(ExecutionOptions execution)
    {
        Model.Execution = execution;
        TrainingSession session = Model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-3f, epsilon: 1e-3f), Labels.Length);
        var losses = new float[3];
        for (int step = 0; step < losses.Length; step++)
        {
            losses[step] = session.Step(Images, Labels).Loss;
            if (step > 0)
                continue;

            foreach ((string parameter, Parameter of) in _parameters.Where(p => _golden.Has($"grad.{p.Golden}")))
                _golden.ShouldMatch(of.Gradient!.Span, $"grad.{parameter}");
        }

        _golden.ShouldMatch(losses, "losses");
        foreach ((string parameter, Parameter of) in _parameters.Where(p => _golden.Has($"after3.{p.Golden}")))
            _golden.ShouldMatch(of.Value.Span, $"after3.{parameter}");
    }

    private static void Append(ModelBuilder builder, string text)
    {
        int kernel = Number(text, "kernel_size", 1), stride = Number(text, "stride", 1), dilation = Number(text, "dilation", 1);
        int pad = Number(text, "padding", 0);
        var padding = Padding.Explicit(pad, pad, pad, pad);
        bool bias = !text.Contains("bias=False", StringComparison.Ordinal);
        switch (text[..text.IndexOf('(')])
        {
            case "Conv2d" when Number(text, "groups", 1) > 1:
                builder.DepthwiseConv2D(kernel, stride: stride, dilation: dilation, padding: padding, useBias: bias);
                break;
            case "Conv2d" when kernel == 1:
                builder.PointwiseConv2D(Second(text), bias);
                break;
            case "Conv2d":
                builder.Conv2D(Second(text), kernel, stride, dilation, padding, useBias: bias);
                break;
            case "MaxPool2d":
                builder.MaxPool2D(kernel, stride);
                break;
            case "BatchNorm2d":
                builder.BatchNormalization();
                break;
            case "ReLU":
                builder.ReLU();
                break;
            case "AdaptiveAvgPool2d":
                builder.GlobalAveragePool2D();
                break;
            case "Flatten":
                builder.Flatten();
                break;
            case "Linear":
                builder.Dense(Number(text, "out_features", 0), bias);
                break;
            default:
                throw new InvalidDataException($"Unknown layer {text}.");
        }
    }

    private static int Second(string text) => int.Parse(Outputs().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);

    private static int Number(string layer, string name, int otherwise)
    {
        Match match = Regex.Match(layer, $@"\b{name}=\(?(\d+)");
        return match.Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : otherwise;
    }

    [GeneratedRegex(@"^Conv2d\(\d+, (\d+)")]
    private static partial Regex Outputs();
}
