using NativeConv.Graph;

namespace NativeConv;

/// <summary>
/// A graph with its parameters. Predictions may run on many threads at once; training, and writing parameters, may not run beside anything else on the same
/// model. Make one with <see cref="ModelBuilder"/> or load one from a file.
/// </summary>
public sealed unsafe partial class Model
{
    private readonly InferencePool _inference;

    internal Model(Graph.Graph graph, IReadOnlyList<string> classNames, bool areWeightsFixed = false)
    {
        Graph = graph;
        ClassNames = classNames;
        Store = new(graph.Nodes);
        _inference = new(graph, Store, areWeightsFixed);
    }

    /// <summary>The nodes, each after those it reads; the first is the input, the last the output.</summary>
    public IReadOnlyList<Node> Nodes => Graph.Nodes;

    /// <summary>The shape of one image.</summary>
    public ImageShape InputShape => Graph.Input.Shape;

    /// <summary>The shape of what one image gives.</summary>
    public ImageShape OutputShape => Graph.Output.Shape;

    /// <summary>What the outputs stand for; empty where no one said.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Every parameter, node by node.</summary>
    public IReadOnlyList<Parameter> Parameters => Store.All;

    /// <summary>How the model computes.</summary>
    public ExecutionOptions Execution { get; set; } = new();

    /// <summary>How many numbers training changes; those of frozen layers do not count.</summary>
    public long TrainableParameterCount => Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Value.Length);

    internal Graph.Graph Graph { get; }

    internal ParameterStore Store { get; }

    /// <summary>One parameter by its name, as <c>conv2d.kernel</c>.</summary>
    /// <exception cref="ArgumentException">The model has none of that name.</exception>
    public Parameter Parameter(string name) => Parameters.FirstOrDefault(parameter => parameter.Name == name)
        ?? throw new ArgumentException($"The model has no parameter '{name}'; it has {string.Join(", ", Parameters.Select(parameter => parameter.Name))}.", nameof(name));

    /// <summary>A model of the same graph with its own copy of the parameters, and the same layers frozen.</summary>
    public Model Clone()
    {
        var copy = new Model(Graph, ClassNames) { Execution = Execution };
        Store.CopyTo(copy.Store);
        foreach (Node node in Nodes)
            copy.Store.SetFrozen(node, Store.IsFrozen(node));

        return copy;
    }

    /// <summary>A model of the same graph with parameters of its own as they are before training, and no layer frozen.</summary>
    /// <param name="seed">Equal seeds give equal parameters on every machine.</param>
    public Model CloneUntrained(ulong seed = 0)
    {
        var copy = new Model(Graph, ClassNames) { Execution = Execution };
        copy.Initialize(seed);
        return copy;
    }

    /// <summary>How predictions run.</summary>
    public ExecutionPlan Plan() => new(new(Graph, Store, PlanKind.Inference, int.MaxValue, Execution.ThreadCount, Execution.Level, null, memory: new(isReserved: false)));

    /// <summary>How a training step runs.</summary>
    /// <param name="loss">What is minimized.</param>
    /// <param name="batchSize">The most images a step takes.</param>
    /// <exception cref="ArgumentException">The size is not positive, or the loss is not made for the model's outputs.</exception>
    public ExecutionPlan Plan(Loss loss, int batchSize)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        loss.RequireClasses(OutputShape.Length);
        return new(new(Graph, Store, PlanKind.Training, batchSize, Execution.ThreadCount, Execution.Level, loss, memory: new(isReserved: false)));
    }

    /// <summary>Makes the model ready to predict, with a copy of its weights as they are now.</summary>
    public InferenceModel ToInference() => new(this);

    /// <summary>Writes the graph's output for each image: logits, where the last layer is a dense one.</summary>
    /// <param name="images">[images, height, width, channels].</param>
    /// <param name="outputs">[images, outputs], overwritten.</param>
    /// <exception cref="ArgumentException">A length is not a whole number of images, or the two do not agree.</exception>
    public void Predict(ReadOnlySpan<float> images, Span<float> outputs) => Predict(images, outputs, probabilities: false);

    /// <summary>Writes the softmax of the graph's output for each image.</summary>
    /// <param name="images">[images, height, width, channels].</param>
    /// <param name="probabilities">[images, outputs], overwritten; each image's add up to 1.</param>
    /// <exception cref="ArgumentException">A length is not a whole number of images, or the two do not agree.</exception>
    public void PredictProbabilities(ReadOnlySpan<float> images, Span<float> probabilities) => Predict(images, probabilities, probabilities: true);

    internal void Initialize(ulong seed) => Store.Initialize(seed, Nodes);

    /// <summary>The number of images that a span holds.</summary>
    internal int CountImages(ReadOnlySpan<float> images, string parameter)
    {
        int length = InputShape.Length;
        return images.Length % length == 0
            ? images.Length / length
            : throw new ArgumentException($"Images of {InputShape} hold {length} values each, but {images.Length} were given.", parameter);
    }

    private void Predict(ReadOnlySpan<float> images, Span<float> outputs, bool probabilities)
    {
        int count = CountImages(images, nameof(images));
        if (outputs.Length != (long)count * OutputShape.Length)
            throw new ArgumentException($"{count} images give {count} x {OutputShape.Length} values, but there is room for {outputs.Length}.", nameof(outputs));

        if (count == 0)
            return;

        InferenceExecutor executor = _inference.Rent(Execution);
        try
        {
            executor.Run(images, outputs, count, probabilities);
        }
        finally
        {
            _inference.Return(executor);
        }
    }
}
