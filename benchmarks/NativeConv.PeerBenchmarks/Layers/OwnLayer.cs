namespace NativeConv.PeerBenchmarks.Layers;

/// <summary>A layer on NativeConv's operators, with the inputs that the peers get too. All buffers are made once.</summary>
internal sealed class OwnLayer(LayerShape shape, int threads)
{
    /// <summary>How far dot products may differ, by the sum of what they add.</summary>
    private const double FitTolerance = 1e-6;

    private readonly Conv2DGeometry _geometry = shape.Geometry;
    private readonly ExecutionOptions _execution = new() { ThreadCount = threads };

    /// <summary>[n, h, w, c].</summary>
    public Tensor X { get; } = Values.Random(1, shape.Batch, shape.Size, shape.Size, shape.Channels);

    /// <summary>[kh, kw, c / groups, filters]; a depthwise one's c and multiplier as [c, m].</summary>
    public Tensor Kernel { get; } = Values.Random(2, shape.Window, shape.Window, shape.Channels / shape.Groups, shape.Filters);

    /// <summary>The gradient by the output, [n, oh, ow, filters].</summary>
    public Tensor OutputGradient { get; } = Values.Random(3, shape.Batch, shape.OutputSize, shape.OutputSize, shape.Filters);

    public Tensor Y { get; } = new(shape.Batch, shape.OutputSize, shape.OutputSize, shape.Filters);

    public Tensor InputGradient { get; } = new(shape.Batch, shape.Size, shape.Size, shape.Channels);

    public Tensor KernelGradient { get; } = new(shape.Window, shape.Window, shape.Channels / shape.Groups, shape.Filters);

    public void Run(LayerPass pass)
    {
        Forward();
        if (pass == LayerPass.Gradients)
            Gradients();
    }

    /// <summary>
    /// The layer is linear in its input and in its kernel, so that dy . y = dx . x = dw . w: whether gradients fit an output that peers agree with does not depend on how any peer computes them.
    /// </summary>
    /// <exception cref="PeerException">They do not fit.</exception>
    public void RequireFittingGradients()
    {
        (double expected, double scale) = Dot(OutputGradient, Y);
        foreach ((string name, Tensor gradient, Tensor values) in new[] { ("input", InputGradient, X), ("kernel", KernelGradient, Kernel) })
        {
            (double dot, _) = Dot(gradient, values);
            if (!(Math.Abs(dot - expected) <= FitTolerance * scale))
                throw new PeerException($"{shape}: the {name} gradient times the {name} is {dot:G9}, where the output gradient times the output is {expected:G9}.");
        }
    }

    private void Forward()
    {
        if (shape.Kind == LayerKind.Depthwise)
            DepthwiseConvolution.Forward(_geometry, shape.Channels, X.Span, Kernel.Span, [], Y.Span, shape.Multiplier, _execution);
        else
            Convolution.Forward(_geometry, shape.Channels, shape.Filters, X.Span, Kernel.Span, [], Y.Span, execution: _execution);
    }

    private void Gradients()
    {
        if (shape.Kind == LayerKind.Depthwise)
        {
            DepthwiseConvolution.BackwardInput(_geometry, shape.Channels, OutputGradient.Span, Kernel.Span, InputGradient.Span, shape.Multiplier, _execution);
            DepthwiseConvolution.BackwardWeights(_geometry, shape.Channels, X.Span, OutputGradient.Span, KernelGradient.Span, shape.Multiplier, _execution);
        }
        else
        {
            Convolution.BackwardInput(_geometry, shape.Channels, shape.Filters, OutputGradient.Span, Kernel.Span, InputGradient.Span, execution: _execution);
            Convolution.BackwardWeights(_geometry, shape.Channels, shape.Filters, X.Span, OutputGradient.Span, KernelGradient.Span, execution: _execution);
        }
    }

    /// <summary>A dot product, and that of the values without their signs.</summary>
    private static (double Dot, double Scale) Dot(Tensor a, Tensor b)
    {
        (double dot, double scale) = (0, 0);
        ReadOnlySpan<float> left = a.Span, right = b.Span;
        for (int i = 0; i < left.Length; i++)
        {
            double product = (double)left[i] * right[i];
            dot += product;
            scale += Math.Abs(product);
        }

        return (dot, scale);
    }
}
