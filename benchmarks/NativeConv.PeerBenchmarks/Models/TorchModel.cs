using NativeConv.PeerBenchmarks.Peers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using TorchModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>A model's network as libtorch modules with a copy of its parameters, trained with Adam, in one memory format.</summary>
internal sealed class TorchModel : IDisposable
{
    private readonly Sequential _network;
    private readonly optim.Optimizer _optimizer;
    private readonly torch.Tensor _images, _labels;
    private readonly bool _channelsLast;

    /// <param name="model">The network and the parameters it has now.</param>
    /// <param name="images">What it trains on, normalized, [n, h, w, c].</param>
    /// <param name="labels">The images' classes.</param>
    /// <param name="learningRate">Adam's.</param>
    /// <param name="channelsLast">Whether channels are innermost in memory.</param>
    public TorchModel(Model model, Tensor images, int[] labels, float learningRate, bool channelsLast)
    {
        _channelsLast = channelsLast;
        _network = nn.Sequential(ModelChain.Of(model).SelectMany(node => Modules(model, node, channelsLast)));
        _network.train();
        _optimizer = optim.Adam(_network.parameters(), learningRate);
        _images = TorchTensors.FromImages(images, channelsLast);
        _labels = tensor(Array.ConvertAll(labels, label => (long)label));
    }

    /// <summary>One training step; gives its loss.</summary>
    public float Step()
    {
        using DisposeScope scope = NewDisposeScope();
        _optimizer.zero_grad();
        torch.Tensor loss = nn.functional.cross_entropy(_network.forward(_images), _labels);
        loss.backward();
        _optimizer.step();
        return loss.ToSingle();
    }

    /// <summary>Steps as often as there are losses.</summary>
    /// <exception cref="PeerException">It loses something else.</exception>
    public void RequireLosses(string what, IReadOnlyList<float> losses)
    {
        for (int i = 0; i < losses.Count; i++)
            Agreement.Require($"{what}, {TorchTensors.FormatName(_channelsLast)}: loss of step {i + 1}", PeerLibraries.Libtorch, [losses[i]], [Step()]);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }

    private static IEnumerable<TorchModule> Modules(Model model, Node node, bool channelsLast)
    {
        if (ConvolutionNode.From(model, node) is { } convolution)
            return [Convolution(node, convolution, channelsLast)];

        return node.Layer switch
        {
            BatchNormalization layer => [Normalization(model, node, layer)],
            ActivationLayer { Function: Activation.ReLU } => [nn.ReLU(inplace: true)],
            MaxPool2D { Padding.IsValid: true } layer => [nn.MaxPool2d((layer.PoolSize.Height, layer.PoolSize.Width), (layer.Stride.Height, layer.Stride.Width))],
            GlobalAveragePool2D => [nn.AdaptiveAvgPool2d(1)],
            Flatten => [],
            Dense => [nn.Flatten(), Linear(model, node)],
            _ => throw ModelChain.Unknown(node),
        };
    }

    private static Conv2d Convolution(Node node, ConvolutionNode convolution, bool channelsLast)
    {
        Conv2DGeometry g = convolution.Geometry;
        Conv2d module = nn.Conv2d(
            convolution.Channels, convolution.Filters, (g.KernelHeight, g.KernelWidth), (g.StrideHeight, g.StrideWidth), ModelChain.Pads(node, g),
            (g.DilationHeight, g.DilationWidth), groups: convolution.Groups, bias: convolution.Bias != null);
        module.weight = new(TorchTensors.FromKernel(convolution.Kernel, channelsLast));
        if (convolution.Bias != null)
            module.bias = new(Vector(convolution.Bias.Span));

        return module;
    }

    private static BatchNorm2d Normalization(Model model, Node node, BatchNormalization layer)
    {
        BatchNorm2d module = nn.BatchNorm2d(node.Shape.Channels, layer.Epsilon, layer.Momentum);
        module.weight = new(Vector(ModelChain.Values(model, node, "gamma")));
        module.bias = new(Vector(ModelChain.Values(model, node, "beta")));
        return module;
    }

    private static Linear Linear(Model model, Node node)
    {
        using torch.Tensor kernel = TorchTensors.FromKernel(ModelChain.DenseKernel(model, node), channelsLast: false);
        return nn.Linear(new TorchParameter(kernel.flatten(1)), new TorchParameter(Vector(ModelChain.Values(model, node, "bias"))));
    }

    private static torch.Tensor Vector(ReadOnlySpan<float> values) => tensor(values.ToArray());
}
