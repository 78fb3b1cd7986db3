using NativeConv.PeerBenchmarks.Peers;
using TorchSharp;

namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>The same layer as a model of one convolution in ONNX Runtime, which computes it forward alone.</summary>
internal sealed class OnnxLayer : IDisposable
{
    private readonly Tensor _y;
    private readonly OnnxSession _session;

    public OnnxLayer(OwnLayer layer, LayerShape shape, int threads)
    {
        using torch.Tensor x = TorchTensors.FromImages(layer.X, channelsLast: false), kernel = TorchTensors.FromKernel(layer.Kernel, channelsLast: false);
        int perGroup = shape.Channels / shape.Groups;
        var graph = new OnnxGraph(shape.Batch, shape.Channels, shape.Size, shape.Size);
        string weights = graph.Constant("kernel", TorchTensors.Values(kernel), shape.Filters, perGroup, shape.Window, shape.Window);
        graph.Add("Conv", OnnxGraph.Output, [OnnxGraph.Input, weights], OnnxGraph.Window(shape.Geometry, shape.Groups));
        _y = new(shape.Batch, shape.Filters, shape.OutputSize, shape.OutputSize);
        var input = Tensor.From(TorchTensors.Values(x), shape.Batch, shape.Channels, shape.Size, shape.Size);
        _session = new(graph.ToBytes(shape.Batch, shape.Filters, shape.OutputSize, shape.OutputSize), threads, input, _y);
    }

    public void Forward() => _session.Run();

    /// <exception cref="PeerException">It computes something else.</exception>
    public void RequireAgreement(string what, OwnLayer ours)
    {
        Forward();
        using torch.Tensor expected = TorchTensors.FromImages(ours.Y, channelsLast: false);
        Agreement.Require($"{what}: output", PeerLibraries.OnnxRuntime, TorchTensors.Values(expected), _y.Span);
    }

    public void Dispose() => _session.Dispose();
}
