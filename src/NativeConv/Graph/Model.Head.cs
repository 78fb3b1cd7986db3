namespace NativeConv;

/// <summary>The same network for other classes.</summary>
public sealed unsafe partial class Model
{
    /// <summary>
    /// A model with a new head for so many classes: the last layer with parameters, a dense or a pointwise or another convolution, is made again with as many outputs, and
    /// initialized anew under its old name. Everything else is copied, frozen layers stay frozen; this model is not changed.
    /// </summary>
    /// <param name="classes">Classes.</param>
    /// <param name="seed">Equal seeds give equal heads.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no class.</exception>
    /// <exception cref="InvalidOperationException">The model does not end in a head that can be replaced; the message says what it ends in.</exception>
    public Model ReplaceHead(int classes, ulong seed = 0) => ReplaceHead(classes, [], seed);

    /// <summary>A model with a new head, as <see cref="ReplaceHead(int, ulong)"/> makes it, for classes that have names.</summary>
    /// <param name="classNames">What the classes are called; saved with the model.</param>
    /// <param name="seed">Equal seeds give equal heads.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no class.</exception>
    /// <exception cref="InvalidOperationException">The model does not end in a head that can be replaced; the message says what it ends in.</exception>
    public Model ReplaceHead(IReadOnlyList<string> classNames, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(classNames);
        return ReplaceHead(classNames.Count, classNames, seed);
    }

    private Model ReplaceHead(int classes, IReadOnlyList<string> classNames, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Node head = Graph.Output;
        while (!Store.HasParameters(head) && head.Inputs.Count == 1)
            head = head.Inputs[0];

        Layer layer = head.Layer switch
        {
            Dense dense => new Dense(classes) { UseBias = dense.UseBias, KernelInitializer = dense.KernelInitializer },
            PointwiseConv2D point => new PointwiseConv2D(classes) { UseBias = point.UseBias, KernelInitializer = point.KernelInitializer },
            Conv2D { Groups: 1 } convolution => new Conv2D(classes, convolution.KernelSize)
            {
                Stride = convolution.Stride, Dilation = convolution.Dilation, Padding = convolution.Padding, UseBias = convolution.UseBias,
                KernelInitializer = convolution.KernelInitializer,
            },
            _ => throw new InvalidOperationException(
                $"The head can be replaced where the last layer with parameters is dense, pointwise_conv2d or conv2d, but this model ends in '{head.Name}', {head.Layer.Kind}."),
        };

        ModelBuilder? builder = null;
        var nodes = new Dictionary<Node, Node>();
        foreach (Node node in Nodes)
        {
            if (builder == null)
                builder = new((InputLayer)node.Layer, node.Name);
            else
                builder.Layer(node == head ? layer : node.Layer, [.. node.Inputs.Select(input => nodes[input])], node.Name);

            nodes.Add(node, builder.Current);
        }

        if (builder!.Current.Shape.Length != classes)
        {
            throw new InvalidOperationException(
                $"The head '{head.Name}' gives each class more than one output, {builder.Current.Shape} for {classes} classes: it cannot be replaced by number of classes.");
        }

        Model model = builder.ClassNames(classNames).Build(seed);
        model.Execution = Execution;
        foreach (Node node in Nodes.Where(node => node != head))
        {
            foreach ((Parameter from, Parameter to) in Store.Of(node).Zip(model.Store.Of(model.Nodes[node.Index])))
                from.Value.Span.CopyTo(to.Value.Span);
        }

        model.SetFrozenLayers([.. FrozenLayers.Where(name => name != head.Name)]);
        return model;
    }
}
