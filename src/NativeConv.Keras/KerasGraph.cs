using System.Text.Json;

namespace NativeConv.Keras;

/// <summary>The layers of a model's configuration, put together with the builder; no memory is set aside for weights before <see cref="Build"/>.</summary>
internal sealed class KerasGraph
{
    private readonly KerasSlots _slots = new();
    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private ModelBuilder? _builder;
    private Node? _output;

    private KerasGraph()
    {
    }

    public IReadOnlyList<KerasSlot> Slots => _slots.All;

    public ImageShape OutputShape => _output!.Shape;

    /// <param name="config">The bytes of <c>config.json</c>.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="InvalidDataException">It is no model of layers that the library has.</exception>
    public static KerasGraph Read(byte[] config, string name)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(config, new() { AllowDuplicateProperties = false });
            var graph = new KerasGraph();
            JsonElement root = json.RootElement;
            switch (root.GetProperty("class_name").GetString())
            {
                case "Sequential":
                    graph.ReadSequential(root.GetProperty("config"), root);
                    break;
                case "Functional" or "Model":
                    graph.ReadFunctional(root.GetProperty("config"));
                    break;
                case var other:
                    throw new InvalidDataException($"a model of class '{other}' is code of its own; only Sequential and functional models can be read");
            }

            return graph;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or OverflowException or FormatException or InvalidDataException)
        {
            throw new InvalidDataException($"{name}: {e.Message.TrimEnd('.')}.", e);
        }
    }

    public Model Build(IReadOnlyList<string> classNames) => _builder!.From(_output!).ClassNames(classNames).Build();

    private void ReadSequential(JsonElement config, JsonElement root)
    {
        JsonElement[] layers = [.. config.GetProperty("layers").EnumerateArray()];
        if (layers.Length == 0 || ClassOf(layers[0]) != "InputLayer")
        {
            JsonElement at = config.TryGetProperty("build_input_shape", out _) ? config : root.GetProperty("build_config");
            Begin(new KerasSettings("the model", at), at.TryGetProperty("build_input_shape", out _) ? "build_input_shape" : "input_shape");
        }

        for (int i = 0; i < layers.Length; i++)
        {
            if (ClassOf(layers[i]) == "InputLayer" && i == 0)
                Begin(SettingsOf(layers[0]), "batch_shape");
            else
                Append(layers[i], [_output!], isOutput: i == layers.Length - 1);
        }
    }

    private void ReadFunctional(JsonElement config)
    {
        JsonElement[] layers = [.. config.GetProperty("layers").EnumerateArray()];
        string input = SingleTensor(config.GetProperty("input_layers"), "input"), output = SingleTensor(config.GetProperty("output_layers"), "output");

        // Variables are numbered in the configuration's order, in which layers may stand before what they read.
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        var waiting = new Dictionary<string, (JsonElement Layer, string[] Inputs)>(StringComparer.Ordinal);
        var readers = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var ready = new Queue<string>();
        foreach (JsonElement layer in layers)
        {
            string name = NameOf(layer);
            string[] inputs = InputsOf(layer, name);
            if (!waiting.TryAdd(name, (layer, inputs)))
                throw new InvalidDataException($"two layers are called '{name}'");

            groups[name] = _slots.NextGroup(GroupOf(ClassOf(layer)));
            foreach (string from in inputs)
            {
                if (!readers.TryGetValue(from, out List<string>? list))
                    readers.Add(from, list = []);

                list.Add(name);
            }

            if (inputs.Length == 0)
                ready.Enqueue(name);
        }

        var missing = waiting.ToDictionary(pair => pair.Key, pair => pair.Value.Inputs.Length, StringComparer.Ordinal);
        int done = 0;
        while (ready.TryDequeue(out string? name))
        {
            (JsonElement layer, string[] inputs) = waiting[name];
            done++;
            if (name == input && ClassOf(layer) == "InputLayer")
                Begin(SettingsOf(layer), "batch_shape");
            else if (inputs.Length == 0)
                throw new InvalidDataException($"{Describe(layer)} reads nothing: a model has one input, '{input}'");
            else
                Append(layer, [.. inputs.Select(from => _nodes[from])], isOutput: name == output && !readers.ContainsKey(name), groups[name]);

            _nodes.Add(name, _output!);
            foreach (string reader in readers.GetValueOrDefault(name) ?? [])
            {
                if (--missing[reader] == 0)
                    ready.Enqueue(reader);
            }
        }

        if (done < waiting.Count)
        {
            foreach ((string name, (_, string[] inputs)) in waiting)
            {
                if (inputs.FirstOrDefault(from => !waiting.ContainsKey(from)) is { } nowhere)
                    throw new InvalidDataException($"layer '{name}' reads '{nowhere}', which is not there");
            }

            throw new InvalidDataException($"layer '{missing.First(pair => pair.Value > 0).Key}' reads what is made of it");
        }

        _output = _nodes.TryGetValue(output, out Node? node) ? node : throw new InvalidDataException($"there is no output layer '{output}'");
    }

    /// <summary>Starts with images of a shape [any, height, width, channels].</summary>
    private void Begin(KerasSettings settings, string name)
    {
        int[] shape = settings.Numbers(name);
        _builder = shape switch
        {
            [_, > 0 and int height, > 0 and int width, > 0 and int channels] => new(height, width, channels),
            [_, > 0 and int length] => new(1, 1, length),
            _ => throw settings.Broken(name, "the shape of images, [null, height, width, channels], or of vectors"),
        };
        _output = _builder.Current;
    }

    private void Append(JsonElement layer, Node[] inputs, bool isOutput, string? group = null)
    {
        ModelBuilder builder = _builder!.From(inputs[0]);
        string kind = ClassOf(layer), name = NameOf(layer);
        KerasSettings settings = SettingsOf(layer);
        group ??= _slots.NextGroup(GroupOf(kind));
        if (inputs.Length != 1 && kind is not ("Add" or "Multiply" or "Concatenate"))
            throw new InvalidDataException($"{settings.Layer} must read one layer, but reads {inputs.Length}");

        switch (kind)
        {
            case "Conv2D":
                settings.RequireChannelsLast();
                builder.Layer(
                    new Conv2D(settings.Number("filters"), settings.Size("kernel_size"))
                    {
                        Stride = settings.Size("strides"),
                        Dilation = settings.Size("dilation_rate"),
                        Padding = settings.Padding(),
                        Groups = settings.Has("groups") ? settings.Number("groups") : 1,
                        UseBias = settings.Truth("use_bias", true),
                    },
                    name);
                AddWeights(builder.Current);
                Activate("activation");
                break;
            case "DepthwiseConv2D":
                builder.Layer(Depthwise(settings, settings.Truth("use_bias", true)), name);
                AddWeights(builder.Current);
                Activate("activation");
                break;
            case "SeparableConv2D":
                Node depthwise = builder.Layer(Depthwise(settings, useBias: false), name + "_depthwise").Current;
                builder.Layer(new PointwiseConv2D(settings.Number("filters")) { UseBias = settings.Truth("use_bias", true) }, name + "_pointwise");
                AddWeights(depthwise, builder.Current);
                Activate("activation");
                break;
            case "Dense":
                if (inputs[0].Shape.Pixels > 1)
                    throw new InvalidDataException($"{settings.Layer} reads images of {inputs[0].Shape}, not vectors, which the library has no layer for");

                builder.Layer(new Dense(settings.Number("units")) { UseBias = settings.Truth("use_bias", true) }, name);
                AddWeights(builder.Current);
                Activate("activation");
                break;
            case "BatchNormalization":
                if (settings.Has("axis") && Axis(settings) is not (-1 or 3) && !(inputs[0].Shape.Pixels == 1 && Axis(settings) == 1))
                    throw settings.Broken("axis", "the channels' axis, -1 or 3,");

                builder.Layer(
                    new BatchNormalization { Momentum = (float)(1 - settings.Real("momentum", 0.99)), Epsilon = (float)settings.Real("epsilon", 1e-3) }, name);
                _slots.AddGroup(group, [builder.Current], settings.Truth("scale", true), settings.Truth("center", true));
                break;
            case "Activation":
                Activate("activation");
                break;
            case "Softmax":
                RequireOutput();
                break;
            case "ReLU":
                builder.Activate(Rectifier(settings, "max_value"), name);
                break;
            case "LeakyReLU":
                builder.Activate(Rectifier(settings, null), name);
                break;
            case "ELU":
                if (settings.Real("alpha", 1) != 1)
                    throw settings.Broken("alpha", "1");

                builder.Activate(NativeConv.Activation.Elu, name);
                break;
            case "MaxPooling2D" or "AveragePooling2D":
                settings.RequireChannelsLast();
                Size2D window = settings.Size("pool_size"), stride = settings.Has("strides") ? settings.Size("strides") : window;
                builder.Layer(
                    kind == "MaxPooling2D"
                        ? new MaxPool2D(window) { Stride = stride, Padding = settings.Padding() }
                        : new AveragePool2D(window) { Stride = stride, Padding = settings.Padding() },
                    name);
                break;
            case "GlobalAveragePooling2D":
                settings.RequireChannelsLast();
                builder.Layer(new GlobalAveragePool2D(), name);
                break;
            case "Flatten":
                settings.RequireChannelsLast();
                builder.Layer(new Flatten(), name);
                break;
            case "Reshape":
                int length = inputs[0].Shape.Length;
                if (inputs[0].Shape.Pixels > 1 || settings.Numbers("target_shape") is not ([1, 1, _] or [_]) || !Array.Exists([length, -1], last => last == settings.Numbers("target_shape")[^1]))
                    throw settings.Broken("target_shape", $"[1, 1, {length}], which changes nothing,");

                break;
            case "Dropout":
                builder.Layer(new Dropout((float)settings.Real("rate", 0)), name);
                break;
            case "Rescaling":
                builder.Normalize((float)settings.Real("scale", 1), -(float)settings.Real("offset", 0), 1, name);
                break;
            case "Add":
                builder.Layer(new Add(), inputs, name);
                break;
            case "Multiply":
                Multiply(builder, inputs, name);
                break;
            case "Concatenate":
                if (settings.Has("axis") && Axis(settings) is not (-1 or 3) && !(inputs[0].Shape.Pixels == 1 && Axis(settings) == 1))
                    throw settings.Broken("axis", "the channels' axis, -1 or 3,");

                builder.Layer(new Concat(), inputs, name);
                break;
            default:
                throw new InvalidDataException($"{settings.Layer} is of a class that the library has no layer for");
        }

        _output = builder.Current;

        void AddWeights(params ReadOnlySpan<Node> nodes) => _slots.AddGroup(group, nodes, hasScale: true, hasCenter: true);

        void Activate(string setting)
        {
            if (settings.Activation(setting) is { } function)
                builder.Activate(function, kind == "Activation" ? name : name + "_activation");
            else
                RequireOutput();
        }

        void RequireOutput()
        {
            if (!isOutput)
                throw new InvalidDataException($"{settings.Layer} is a softmax in mid-model, which the library has no layer for");
        }
    }

    private static DepthwiseConv2D Depthwise(KerasSettings settings, bool useBias)
    {
        settings.RequireChannelsLast();
        return new(settings.Size("kernel_size"))
        {
            DepthMultiplier = settings.Number("depth_multiplier"),
            Stride = settings.Size("strides"),
            Dilation = settings.Size("dilation_rate"),
            Padding = settings.Padding(),
            UseBias = useBias,
        };
    }

    private static Activation Rectifier(KerasSettings settings, string? bound)
    {
        double slope = settings.Has("negative_slope") ? settings.Real("negative_slope", 0) : settings.Real("alpha", bound == null ? 0.3 : 0);
        if (settings.Real("threshold", 0) != 0)
            throw settings.Broken("threshold", "0");

        double most = bound == null ? double.PositiveInfinity : settings.Real(bound, double.PositiveInfinity);
        return (slope, most) switch
        {
            (0, double.PositiveInfinity) => NativeConv.Activation.ReLU,
            (0, 6) => NativeConv.Activation.ReLU6,
            ( > 0.00999999 and < 0.01000001, double.PositiveInfinity) => NativeConv.Activation.LeakyReLU,
            _ => throw settings.Broken(bound != null && settings.Has(bound) ? bound : "negative_slope", bound == null ? "0 or 0.01" : "0 or 0.01 without a bound, or 0 and a bound of 6,"),
        };
    }

    /// <summary>The product of all inputs; one value a channel may stand on either side.</summary>
    private static void Multiply(ModelBuilder builder, Node[] inputs, string name)
    {
        if (inputs.Length < 2)
            throw new InvalidDataException($"layer '{name}' must multiply two layers or more");

        Node[] largestFirst = [.. inputs.OrderByDescending(input => input.Shape.Pixels)];
        builder.From(largestFirst[0]);
        for (int i = 1; i < inputs.Length; i++)
            builder.Layer(new Multiply(), [builder.Current, largestFirst[i]], i == inputs.Length - 1 ? name : $"{name}_{i}");
    }

    private static int Axis(KerasSettings settings)
    {
        try
        {
            return settings.Number("axis");
        }
        catch (InvalidDataException)
        {
            // Keras 3 also writes a list of one.
            return settings.Numbers("axis") is [int only] ? only : throw settings.Broken("axis", "one axis");
        }
    }

    /// <summary>The layers that a layer reads.</summary>
    private static string[] InputsOf(JsonElement layer, string name)
    {
        JsonElement[] calls = [.. layer.GetProperty("inbound_nodes").EnumerateArray()];
        if (calls.Length > 1)
            throw new InvalidDataException($"layer '{name}' is used {calls.Length} times, and the library cannot share weights");

        var inputs = new List<string>();
        if (calls.Length == 1)
        {
            if (calls[0].ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"layer '{name}' is written in Keras 2's way; save the model with Keras 3");

            Collect(calls[0].GetProperty("args"), inputs);
        }

        return [.. inputs];

        static void Collect(JsonElement element, List<string> inputs)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in element.EnumerateArray())
                    Collect(item, inputs);
            }
            else if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("class_name", out JsonElement kind) && kind.GetString() == "__keras_tensor__")
            {
                inputs.Add(element.GetProperty("config").GetProperty("keras_history").EnumerateArray().First().GetString()!);
            }
        }
    }

    /// <summary>The one layer that <c>[name, 0, 0]</c>, or a list of one such, names.</summary>
    private static string SingleTensor(JsonElement element, string what)
    {
        JsonElement[] items = [.. element.EnumerateArray()];
        if (items.Length == 1 && items[0].ValueKind == JsonValueKind.Array)
            return SingleTensor(items[0], what);

        return items is [{ ValueKind: JsonValueKind.String } name, _, _]
            ? name.GetString()!
            : throw new InvalidDataException($"a model must have one {what} layer, but has {Math.Max(0, items.Length)}");
    }

    private static string ClassOf(JsonElement layer) => layer.GetProperty("class_name").GetString() ?? throw new InvalidDataException("a layer has no class");

    private static string NameOf(JsonElement layer) =>
        (layer.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name : layer.GetProperty("config").GetProperty("name")).GetString()
        ?? throw new InvalidDataException("a layer has no name");

    private static string Describe(JsonElement layer) => $"layer '{NameOf(layer)}' ({ClassOf(layer)})";

    private static KerasSettings SettingsOf(JsonElement layer) => new(Describe(layer), layer.GetProperty("config"));

    /// <summary>Keras' group name for a class, its name in snake case; other classes have no weights or are refused.</summary>
    private static string GroupOf(string kind) => kind switch
    {
        "Conv2D" => "conv2d",
        "DepthwiseConv2D" => "depthwise_conv2d",
        "SeparableConv2D" => "separable_conv2d",
        "Dense" => "dense",
        "BatchNormalization" => "batch_normalization",
        _ => kind,
    };
}
