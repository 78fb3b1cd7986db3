using NativeConv.PeerBenchmarks.Peers;
using TorchSharp;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>A model's network and parameters in ONNX Runtime.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly OnnxSession _session;
    private readonly Tensor _outputs;

    /// <param name="model">The network and the parameters it has now.</param>
    /// <param name="images">What it reads, normalized, [n, h, w, c].</param>
    /// <param name="threads">Threads within an operator.</param>
    public OnnxModel(Model model, Tensor images, int threads)
    {
        int batch = images.Shape[0];
        _outputs = new(batch, model.OutputShape.Length);
        ImageShape shape = model.InputShape;
        using torch.Tensor nchw = TorchTensors.FromImages(images, channelsLast: false);
        var input = Tensor.From(TorchTensors.Values(nchw), batch, shape.Channels, shape.Height, shape.Width);
        _session = new(Describe(model, batch), threads, input, _outputs);
    }

    /// <summary>[n, outputs], after <see cref="Run"/>.</summary>
    public ReadOnlySpan<float> Outputs => _outputs.Span;

    public void Run() => _session.Run();

    public void Dispose() => _session.Dispose();

    private static byte[] Describe(Model model, int batch)
    {
        ImageShape input = model.InputShape;
        var graph = new OnnxGraph(batch, input.Channels, input.Height, input.Width);
        Node[] nodes = [.. ModelChain.Of(model)];
        string before = OnnxGraph.Input;
        foreach (Node node in nodes)
        {
            string output = node == nodes[^1] ? OnnxGraph.Output : node.Name;
            Add(graph, model, node, before, output);
            before = output;
        }

        return graph.ToBytes(batch, model.OutputShape.Length);
    }

    private static void Add(OnnxGraph graph, Model model, Node node, string input, string output)
    {
        switch (node.Layer)
        {
            case Conv2D or DepthwiseConv2D or PointwiseConv2D:
                ConvolutionNode convolution = ConvolutionNode.From(model, node)!;
                Conv2DGeometry g = convolution.Geometry;
                List<string> inputs = [input, Kernel(convolution.Kernel, convolution.Filters, convolution.Channels / convolution.Groups, g.KernelHeight, g.KernelWidth)];
                if (convolution.Bias != null)
                    inputs.Add(graph.Constant($"{node.Name}.bias", convolution.Bias.Span, convolution.Filters));

                graph.Add("Conv", output, inputs, OnnxGraph.Window(g, convolution.Groups));
                break;
            case BatchNormalization layer:
                graph.Add(
                    "BatchNormalization", output,
                    [input, .. new[] { "gamma", "beta", "running_mean", "running_var" }.Select(name => Vector(name, node.Shape.Channels))],
                    OnnxGraph.Number("epsilon", layer.Epsilon));
                break;
            case ActivationLayer { Function: Activation.ReLU }:
                graph.Add("Relu", output, [input]);
                break;
            case MaxPool2D { Padding.IsValid: true } layer:
                graph.Add(
                    "MaxPool", output, [input], OnnxGraph.Numbers("kernel_shape", layer.PoolSize.Height, layer.PoolSize.Width),
                    OnnxGraph.Numbers("strides", layer.Stride.Height, layer.Stride.Width));
                break;
            case GlobalAveragePool2D:
                graph.Add("GlobalAveragePool", output, [input]);
                break;
            case Flatten:
                // The dense layer does it.
                graph.Add("Identity", output, [input]);
                break;
            case Dense:
                Tensor kernel = ModelChain.DenseKernel(model, node);
                string flat = $"{node.Name}.input";
                graph.Add("Flatten", flat, [input]);
                int units = node.Shape.Channels;
                graph.Add("Gemm", output, [flat, Kernel(kernel, units, kernel.Length / units), Vector("bias", units)], OnnxGraph.Number("transB", 1));
                break;
            default:
                throw ModelChain.Unknown(node);
        }

        string Vector(string parameter, int length) => graph.Constant($"{node.Name}.{parameter}", ModelChain.Values(model, node, parameter), length);

        string Kernel(Tensor kernel, params int[] shape)
        {
            using torch.Tensor permuted = TorchTensors.FromKernel(kernel, channelsLast: false);
            return graph.Constant($"{node.Name}.kernel", TorchTensors.Values(permuted), shape);
        }
    }
}
