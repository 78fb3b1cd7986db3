using NativeConv.Random;

namespace NativeConv.Tests.Support;

/// <summary>Any model's forward pass in double precision, as in training or as a prediction, as a function of its images or of one of its parameters.</summary>
internal sealed class ModelOracle(Model model, int images, bool isPrediction = false)
{
    /// <summary>The outputs, with one parameter's values replaced where it is named.</summary>
    public double[] Forward(double[] x, string? parameter = null, double[]? value = null)
    {
        var outputs = new Dictionary<Node, double[]>();
        foreach (Node node in model.Nodes)
        {
            double[][] inputs = [.. node.Inputs.Select(input => outputs[input])];
            outputs[node] = Apply(node, inputs.Length == 0 ? [x] : inputs, name => Find(node, name, parameter, value));
        }

        return outputs[model.Nodes[^1]];
    }

    private double[] Apply(Node node, double[][] x, Func<string, double[]?> parameter)
    {
        ImageShape input = node.Inputs.Count > 0 ? node.Inputs[0].Shape : node.Shape;
        switch (node.Layer)
        {
            case InputLayer or Flatten:
                return x[0];
            case InputNormalization n:
                return Array.ConvertAll(x[0], value => ((value * n.Scale) - n.Mean) / n.Deviation);
            case Conv2D c:
                var dense = new ConvolutionCase(images, new(input.Height, input.Width, c.KernelSize, c.Stride, c.Dilation, c.Padding), input.Channels, c.Filters, c.Groups);
                return ConvolutionOracle.Forward(dense, x[0], parameter("kernel")!, parameter("bias"));
            case DepthwiseConv2D d:
                var depthwise = new DepthwiseCase(images, new(input.Height, input.Width, d.KernelSize, d.Stride, d.Dilation, d.Padding), input.Channels, d.DepthMultiplier);
                return ConvolutionOracle.Forward(depthwise.AsConvolution, x[0], parameter("kernel")!, parameter("bias"));
            case PointwiseConv2D p:
                return LayerOracle.Dense(x[0], parameter("kernel")!, parameter("bias"), input.Channels, p.Filters);
            case Dense l:
                return LayerOracle.Dense(x[0], parameter("kernel")!, parameter("bias"), input.Length, l.Units);
            case BatchNormalization b when isPrediction || model.FrozenLayers.Contains(node.Name):
                return LayerOracle.BatchNormalization(
                    x[0], parameter("gamma")!, parameter("beta")!, parameter("running_mean")!, parameter("running_var")!, b.Epsilon);
            case BatchNormalization b:
                return LayerOracle.BatchNormalization(x[0], parameter("gamma")!, parameter("beta")!, b.Epsilon);
            case ActivationLayer a:
                return LayerOracle.Activation(Name(a.Function), x[0]);
            case MaxPool2D m:
                return LayerOracle.MaxPool(new(images, new(input.Height, input.Width, m.PoolSize, m.Stride, 1, m.Padding), input.Channels), x[0]);
            case AveragePool2D m:
                return LayerOracle.AveragePool(new(images, new(input.Height, input.Width, m.PoolSize, m.Stride, 1, m.Padding), input.Channels), x[0]);
            case GlobalAveragePool2D:
                return LayerOracle.GlobalAveragePool(images, input.Pixels, input.Channels, x[0]);
            case Add:
                return LayerOracle.Add(x);
            case Multiply when x[1].Length == x[0].Length:
                return [.. x[0].Zip(x[1], (a, b) => a * b)];
            case Multiply:
                return LayerOracle.Multiply(images, input.Channels, x[0], x[1]);
            case Concat:
                return LayerOracle.Concat(images * input.Pixels, x);
            case Dropout when isPrediction:
                return x[0];
            case Dropout d:
                // The first step by hand: seed 0, step 0.
                var random = new RandomStream(0, StreamPurpose.Dropout, (ulong)node.Index);
                return Array.ConvertAll(x[0], value => random.NextSingle() >= d.Rate ? value / (1 - d.Rate) : 0);
            default:
                throw new NotSupportedException(node.Layer.Kind);
        }
    }

    private double[]? Find(Node node, string name, string? replaced, double[]? value)
    {
        string full = $"{node.Name}.{name}";
        return full == replaced ? value : model.Parameters.FirstOrDefault(p => p.Name == full) is { } stored ? TestData.ToDouble(stored.Value.Span) : null;
    }

    private static string Name(Activation function) => function switch
    {
        Activation.LeakyReLU => "leaky_relu",
        Activation.HardSwish => "hard_swish",
        Activation.HardSigmoid => "hard_sigmoid",
        _ => function.ToString().ToLowerInvariant(),
    };
}
