namespace NativeConv.PeerBenchmarks.Models;

/// <summary>A convolution of a model as the peers describe theirs, whatever its kind.</summary>
/// <param name="Kernel">[kh, kw, channels / groups, filters].</param>
/// <param name="Bias">[filters], if any.</param>
/// <param name="Geometry">Sizes, strides, dilations and pads.</param>
/// <param name="Groups">Groups of channels.</param>
internal sealed record ConvolutionNode(Tensor Kernel, Tensor? Bias, Conv2DGeometry Geometry, int Groups)
{
    public int Filters => Kernel.Shape[3];

    public int Channels => Kernel.Shape[2] * Groups;

    /// <summary>The node as a convolution; null where it is none.</summary>
    public static ConvolutionNode? From(Model model, Node node)
    {
        ImageShape input = node.Inputs.Count > 0 ? node.Inputs[0].Shape : default;
        switch (node.Layer)
        {
            case Conv2D layer:
                return new(Parameter("kernel")!, Parameter("bias"), Geometry(layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding), layer.Groups);
            case DepthwiseConv2D layer:
                Tensor kernel = Parameter("kernel")!;
                kernel = Tensor.From(kernel.Span, layer.KernelSize.Height, layer.KernelSize.Width, 1, node.Shape.Channels);
                return new(kernel, Parameter("bias"), Geometry(layer.KernelSize, layer.Stride, layer.Dilation, layer.Padding), input.Channels);
            case PointwiseConv2D:
                return new(Parameter("kernel")!, Parameter("bias"), Geometry(1, 1, 1, Padding.Valid), Groups: 1);
            default:
                return null;
        }

        Tensor? Parameter(string name) => model.Parameters.FirstOrDefault(parameter => parameter.Name == $"{node.Name}.{name}")?.Value;

        Conv2DGeometry Geometry(Size2D window, Size2D stride, Size2D dilation, Padding padding) => new(input.Height, input.Width, window, stride, dilation, padding);
    }
}
