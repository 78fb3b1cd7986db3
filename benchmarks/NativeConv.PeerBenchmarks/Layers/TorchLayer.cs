using NativeConv.PeerBenchmarks.Peers;
using TorchSharp;

namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>The same layer on libtorch's functional convolution and its autograd, in one memory format.</summary>
internal sealed class TorchLayer : IDisposable
{
    private readonly LayerShape _shape;
    private readonly bool _channelsLast;
    private readonly torch.Tensor _x, _kernel, _outputGradient;
    private readonly long[] _strides, _padding, _dilation;

    public TorchLayer(OwnLayer layer, LayerShape shape, bool channelsLast)
    {
        _shape = shape;
        _channelsLast = channelsLast;
        _x = TorchTensors.FromImages(layer.X, channelsLast).requires_grad_();
        _kernel = TorchTensors.FromKernel(layer.Kernel, channelsLast).requires_grad_();
        _outputGradient = TorchTensors.FromImages(layer.OutputGradient, channelsLast);
        _strides = [shape.Stride, shape.Stride];
        _padding = [shape.Pad, shape.Pad];
        _dilation = [shape.Dilation, shape.Dilation];
    }

    public void Run(LayerPass pass)
    {
        if (pass == LayerPass.Forward)
            Forward();
        else
            ForwardAndGradients();
    }

    /// <exception cref="PeerException">It computes something else.</exception>
    public void RequireAgreement(LayerPass pass, OwnLayer ours)
    {
        using torch.Tensor y = Convolve();
        Agreement.Require($"{this}: output", PeerLibraries.Libtorch, ours.Y.Span, TorchTensors.ToImages(y));
        if (pass == LayerPass.Forward)
            return;

        IList<torch.Tensor> gradients = Gradients(y);
        using torch.Tensor inputGradient = gradients[0], kernelGradient = gradients[1];
        Agreement.Require($"{this}: input gradient", PeerLibraries.Libtorch, ours.InputGradient.Span, TorchTensors.ToImages(inputGradient));
        Agreement.Require($"{this}: kernel gradient", PeerLibraries.Libtorch, ours.KernelGradient.Span, TorchTensors.ToKernel(kernelGradient));
    }

    public override string ToString() => $"{_shape}, batch {_shape.Batch}, {TorchTensors.FormatName(_channelsLast)}";

    public void Dispose()
    {
        _x.Dispose();
        _kernel.Dispose();
        _outputGradient.Dispose();
    }

    private void Forward()
    {
        using (torch.inference_mode())
            Convolve().Dispose();
    }

    private void ForwardAndGradients()
    {
        using torch.Tensor y = Convolve();
        foreach (torch.Tensor gradient in Gradients(y))
            gradient.Dispose();
    }

    private torch.Tensor Convolve() => torch.nn.functional.conv2d(_x, _kernel, null, _strides, _padding, _dilation, _shape.Groups);

    private IList<torch.Tensor> Gradients(torch.Tensor y) => torch.autograd.grad([y], [_x, _kernel], [_outputGradient]);
}
