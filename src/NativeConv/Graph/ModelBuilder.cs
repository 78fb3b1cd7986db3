
namespace NativeConv;

/// <summary>
/// Builds a graph node by node. Each method adds a layer that reads <see cref="Current"/> and moves on to it; keep a node to come back to it with
/// <see cref="From"/>, <see cref="Add"/>, <see cref="Multiply"/> or <see cref="Concat"/>. Shapes are checked as layers are added.
/// </summary>
public sealed class ModelBuilder
{
    private readonly List<Node> _nodes = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private string[] _classNames = [];

    /// <summary>Starts with images of this size.</summary>
    /// <exception cref="ArgumentException">A dimension is not positive.</exception>
    public ModelBuilder(int height, int width, int channels)
        : this(new InputLayer(new(height, width, channels)), null)
    {
    }

    internal ModelBuilder(InputLayer input, string? name) => Current = Append(input, name, []);

    internal IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>The node that the next layer reads.</summary>
    public Node Current { get; private set; }

    /// <summary>Goes back to a node, so that the next layer reads it.</summary>
    /// <exception cref="ArgumentException">The node belongs to another builder.</exception>
    public ModelBuilder From(Node node)
    {
        RequireOwn(node);
        Current = node;
        return this;
    }

    /// <summary>Adds any layer, one of your own included.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="name">Its name; null for its kind and a number.</param>
    /// <exception cref="ArgumentException">The layer cannot take the current shape, or the name is taken.</exception>
    public ModelBuilder Layer(Layer layer, string? name = null)
    {
        Current = Append(layer, name, [Current]);
        return this;
    }

    /// <summary>Adds a layer that reads several nodes.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">The nodes it reads, in its order.</param>
    /// <param name="name">Its name; null for its kind and a number.</param>
    /// <exception cref="ArgumentException">The layer cannot take these shapes, or the name is taken.</exception>
    public ModelBuilder Layer(Layer layer, IReadOnlyList<Node> inputs, string? name = null)
    {
        Current = Append(layer, name, [.. inputs]);
        return this;
    }

    /// <summary>Normalizes the input: (x * scale - mean) / deviation. Saved with the model.</summary>
    public ModelBuilder Normalize(float scale = 1, float mean = 0, float deviation = 1, string? name = null) =>
        Layer(new InputNormalization(scale, mean, deviation), name);

    /// <summary>Adds a convolution and, where given, an activation.</summary>
    public ModelBuilder Conv2D(
        int filters, Size2D kernelSize, int stride = 1, int dilation = 1, Padding padding = default, int groups = 1, bool useBias = true,
        Activation activation = Activation.Linear, string? name = null) =>
        Layer(new Conv2D(filters, kernelSize) { Stride = stride, Dilation = dilation, Padding = padding, Groups = groups, UseBias = useBias }, name)
            .Activate(activation);

    /// <summary>Adds a depthwise convolution and, where given, an activation.</summary>
    public ModelBuilder DepthwiseConv2D(
        Size2D kernelSize, int depthMultiplier = 1, int stride = 1, int dilation = 1, Padding padding = default, bool useBias = true,
        Activation activation = Activation.Linear, string? name = null) =>
        Layer(
            new DepthwiseConv2D(kernelSize) { DepthMultiplier = depthMultiplier, Stride = stride, Dilation = dilation, Padding = padding, UseBias = useBias },
            name).Activate(activation);

    /// <summary>Adds a pointwise convolution and, where given, an activation.</summary>
    public ModelBuilder PointwiseConv2D(int filters, bool useBias = true, Activation activation = Activation.Linear, string? name = null) =>
        Layer(new PointwiseConv2D(filters) { UseBias = useBias }, name).Activate(activation);

    /// <summary>
    /// Adds a depthwise and a pointwise convolution. With batch normalization each is followed by it and by the activation, and neither has
    /// a bias; without, one bias and the activation stand at the end.
    /// </summary>
    public ModelBuilder SeparableConv2D(
        int filters, Size2D kernelSize, int depthMultiplier = 1, int stride = 1, int dilation = 1, Padding padding = default,
        Activation activation = Activation.Linear, bool batchNormalization = false, string? name = null)
    {
        name = UniqueName(name, "separable_conv2d");
        DepthwiseConv2D(kernelSize, depthMultiplier, stride, dilation, padding, useBias: false, name: name + "_depthwise");
        if (batchNormalization)
            BatchNormalization(name: name + "_depthwise_normalization").Activate(activation);

        PointwiseConv2D(filters, useBias: !batchNormalization, name: name + "_pointwise");
        if (batchNormalization)
            BatchNormalization(name: name + "_pointwise_normalization");

        return Activate(activation);
    }

    /// <summary>Adds a batch normalization.</summary>
    public ModelBuilder BatchNormalization(float momentum = 0.1f, float epsilon = 1e-5f, string? name = null) =>
        Layer(new BatchNormalization { Momentum = momentum, Epsilon = epsilon }, name);

    /// <summary>Adds an activation; none for <see cref="Activation.Linear"/>.</summary>
    public ModelBuilder Activate(Activation function, string? name = null) =>
        function == Activation.Linear ? this : Layer(new ActivationLayer(function), name);

    /// <summary>Adds a ReLU.</summary>
    public ModelBuilder ReLU(string? name = null) => Activate(Activation.ReLU, name);

    /// <summary>Adds a max-pooling; the stride is the window unless given.</summary>
    public ModelBuilder MaxPool2D(Size2D poolSize, Size2D? stride = null, Padding? padding = null, string? name = null) =>
        Layer(new MaxPool2D(poolSize) { Stride = stride ?? poolSize, Padding = padding ?? Padding.Valid }, name);

    /// <summary>Adds an average pooling; the stride is the window unless given.</summary>
    public ModelBuilder AveragePool2D(Size2D poolSize, Size2D? stride = null, Padding? padding = null, string? name = null) =>
        Layer(new AveragePool2D(poolSize) { Stride = stride ?? poolSize, Padding = padding ?? Padding.Valid }, name);

    /// <summary>Averages each channel over the image.</summary>
    public ModelBuilder GlobalAveragePool2D(string? name = null) => Layer(new GlobalAveragePool2D(), name);

    /// <summary>Lays the image out as a vector.</summary>
    public ModelBuilder Flatten(string? name = null) => Layer(new Flatten(), name);

    /// <summary>Adds a dense layer and, where given, an activation.</summary>
    public ModelBuilder Dense(int units, bool useBias = true, Activation activation = Activation.Linear, string? name = null) =>
        Layer(new Dense(units) { UseBias = useBias }, name).Activate(activation);

    /// <summary>Drops values while training, each with this probability, and scales the others up.</summary>
    public ModelBuilder Dropout(float rate, string? name = null) => Layer(new Dropout(rate), name);

    /// <summary>Adds other nodes of the same shape to the current one: a residual connection.</summary>
    public ModelBuilder Add(params Node[] others) => Layer(new Add(), [Current, .. others]);

    /// <summary>Multiplies the current node by another of the same shape, or by one value a channel.</summary>
    public ModelBuilder Multiply(Node other) => Layer(new Multiply(), [Current, other]);

    /// <summary>Puts the channels of other nodes of the same height and width behind the current one's.</summary>
    public ModelBuilder Concat(params Node[] others) => Layer(new Concat(), [Current, .. others]);

    /// <summary>
    /// Squeeze-and-excitation (Hu et al., 2018): channels are scaled by what two dense layers make of their averages.
    /// </summary>
    /// <param name="reduction">How many times fewer units the first dense layer has than there are channels.</param>
    /// <param name="name">The name that its layers' names start with.</param>
    /// <exception cref="ArgumentOutOfRangeException">The reduction is not positive.</exception>
    public ModelBuilder SqueezeExcitation(int reduction = 4, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(reduction);
        name = UniqueName(name, "squeeze_excitation");
        Node input = Current;
        int channels = input.Shape.Channels;
        GlobalAveragePool2D(name + "_squeeze");
        Dense(Math.Max(1, channels / reduction), activation: Activation.ReLU, name: name + "_reduce");
        Dense(channels, activation: Activation.Sigmoid, name: name + "_expand");
        return Layer(new Multiply(), [input, Current], name + "_scale");
    }

    /// <summary>Names the classes that the outputs stand for; saved with the model.</summary>
    public ModelBuilder ClassNames(params IEnumerable<string> names)
    {
        _classNames = [.. names];
        return this;
    }

    /// <summary>Makes the model, its last node being the output, and initializes its parameters.</summary>
    /// <param name="seed">Equal seeds give equal parameters on every machine.</param>
    /// <exception cref="ArgumentException">There are class names, but not one for each output.</exception>
    public Model Build(ulong seed = 0)
    {
        // What the output does not read would be computed for nothing. A sweep backward finds it, since every node stands after those it reads.
        var used = new bool[_nodes.Count];
        used[0] = used[Current.Index] = true;
        for (int i = Current.Index; i >= 0; i--)
        {
            foreach (Node input in used[i] ? _nodes[i].Inputs : [])
                used[input.Index] = true;
        }

        var renumbered = new Dictionary<Node, Node>();
        foreach (Node node in _nodes.Where(node => used[node.Index]))
            renumbered.Add(node, new(renumbered.Count, node.Name, node.Layer, [.. node.Inputs.Select(input => renumbered[input])], node.Shape));

        if (renumbered[Current].Index != renumbered.Count - 1)
            throw new InvalidOperationException($"The output '{Current.Name}' must be the last node that it needs.");

        if (_classNames.Length > 0 && _classNames.Length != Current.Shape.Length)
            throw new ArgumentException($"{_classNames.Length} class names were given for {Current.Shape.Length} outputs.");

        var model = new Model(new([.. renumbered.Values]), _classNames);
        model.Initialize(seed);
        return model;
    }

    private Node Append(Layer layer, string? name, Node[] inputs)
    {
        ArgumentNullException.ThrowIfNull(layer);
        foreach (Node input in inputs)
            RequireOwn(input);

        string unique = UniqueName(name, layer.Kind);
        if (layer.InputCount >= 0 ? inputs.Length != layer.InputCount : inputs.Length < 2)
        {
            string expected = layer.InputCount >= 0 ? $"{layer.InputCount}" : "two or more";
            throw new ArgumentException($"Layer '{unique}' takes {expected} inputs, but got {Shapes()}.", nameof(inputs));
        }

        ImageShape shape;
        try
        {
            shape = layer.OutputShape([.. inputs.Select(input => input.Shape)]);
            _ = new TensorShape(shape.Height, shape.Width, shape.Channels);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new ArgumentException($"Layer '{unique}' cannot take {Shapes()}: {e.Message}", nameof(layer), e);
        }

        _names.Add(unique);
        var node = new Node(_nodes.Count, unique, layer, inputs, shape);
        _nodes.Add(node);
        return node;

        string Shapes() => inputs.Length == 0 ? "nothing" : string.Join(" and ", inputs.Select(input => $"{input.Shape} from '{input.Name}'"));
    }

    private string UniqueName(string? given, string kind)
    {
        if (given != null)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(given);
            return !_names.Contains(given) ? given : throw new ArgumentException($"The name '{given}' is taken.", nameof(given));
        }

        string name = kind;
        for (int i = 1; _names.Any(Clashes); i++)
            name = $"{kind}_{i}";

        return name;

        // A block's name starts those of its layers.
        bool Clashes(string taken) => taken == name
            || taken.StartsWith(name + "_depthwise", StringComparison.Ordinal) || taken.StartsWith(name + "_squeeze", StringComparison.Ordinal);
    }

    private void RequireOwn(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.Index >= _nodes.Count || _nodes[node.Index] != node)
            throw new ArgumentException($"Node '{node.Name}' belongs to another builder.", nameof(node));
    }
}
