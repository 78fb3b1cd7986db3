namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>Models that between them have every layer, setting and meeting of layouts that a file must hold.</summary>
public static class SampleModels
{
    private static readonly Dictionary<string, Func<ModelBuilder>> Builders = new()
    {
        ["input_alone"] = () => new(3, 5, 2),
        ["input_of_one_pixel"] = () => new(1, 1, 4),
        ["normalize"] = () => new ModelBuilder(3, 5, 2).Normalize(1 / 255f, 0.1307f, 0.3081f),
        ["conv_same_stride"] = () => new ModelBuilder(9, 8, 3).Layer(new Conv2D(5, new(3, 2)) { Stride = new(2, 3) }),
        ["conv_valid_no_bias"] = () => new ModelBuilder(9, 8, 3).Conv2D(5, 3, padding: Padding.Valid, useBias: false),
        ["conv_explicit_padding"] = () => new ModelBuilder(6, 7, 2).Conv2D(3, 3, padding: Padding.Explicit(0, 2, 3, 1)),
        ["conv_padding_beyond_reach"] = () => new ModelBuilder(5, 4, 2).Conv2D(3, 2, stride: 4, padding: Padding.Explicit(5, 6, 4, 3)),
        ["conv_dilation_by_axis"] = () => new ModelBuilder(11, 10, 2).Layer(new Conv2D(3, new(3, 2)) { Dilation = new(2, 3), Stride = new(1, 2), Padding = Padding.Valid }),
        ["conv_groups"] = () => new ModelBuilder(5, 6, 6).Conv2D(9, 3, groups: 3),
        ["conv_one_cell"] = () => new ModelBuilder(5, 6, 3).Conv2D(4, 1, stride: 2),
        ["conv_after_dense"] = () => new ModelBuilder(4, 5, 2).Dense(6).Conv2D(7, 3),
        ["pointwise"] = () => new ModelBuilder(5, 6, 3).PointwiseConv2D(4),
        ["pointwise_no_bias"] = () => new ModelBuilder(5, 6, 3).PointwiseConv2D(4, useBias: false),
        ["depthwise"] = () => new ModelBuilder(7, 6, 5).DepthwiseConv2D(3, stride: 2),
        ["depthwise_multiplier"] = () => new ModelBuilder(7, 6, 4).DepthwiseConv2D(new(2, 3), depthMultiplier: 3, dilation: 2, useBias: false),
        ["depthwise_one_channel"] = () => new ModelBuilder(7, 6, 1).DepthwiseConv2D(3, depthMultiplier: 4),
        ["separable"] = () => new ModelBuilder(7, 6, 3).SeparableConv2D(5, 3, depthMultiplier: 2, stride: 2, activation: Activation.ReLU),
        ["separable_normalized"] = () => new ModelBuilder(7, 6, 3).SeparableConv2D(5, 3, dilation: 2, activation: Activation.HardSwish, batchNormalization: true),
        ["dense_on_image"] = () => new ModelBuilder(4, 5, 3).Dense(7).Dense(2, useBias: false),
        ["flatten_dense"] = () => new ModelBuilder(4, 5, 3).Conv2D(2, 3).Flatten().Activate(Activation.Tanh).Dropout(0.5f).Dense(7),
        ["flatten_output"] = () => new ModelBuilder(4, 5, 3).Conv2D(2, 3).Flatten(),
        ["flatten_one_channel"] = () => new ModelBuilder(4, 5, 3).Conv2D(1, 3).Flatten().Flatten(),
        ["flatten_normalization"] = () => new ModelBuilder(4, 5, 3).Conv2D(2, 3).Flatten().BatchNormalization().Dense(3),
        ["flatten_pool_conv"] = () => new ModelBuilder(3, 2, 2).Flatten().GlobalAveragePool2D().Conv2D(3, 1),
        ["batch_normalization"] = () => new ModelBuilder(4, 5, 3).Conv2D(6, 3).BatchNormalization(momentum: 0.25f, epsilon: 1e-3f),
        ["batch_normalization_of_vectors"] = () => new ModelBuilder(4, 5, 3).Dense(6).BatchNormalization().ReLU(),
        ["max_pool"] = () => new ModelBuilder(7, 6, 3).MaxPool2D(2),
        ["max_pool_same"] = () => new ModelBuilder(7, 6, 3).MaxPool2D(new(3, 2), stride: 2, padding: Padding.Same),
        ["max_pool_padding_beyond_reach"] = () => new ModelBuilder(4, 4, 2).MaxPool2D(2, stride: 3, padding: Padding.Explicit(1, 2, 0, 3)),
        ["average_pool"] = () => new ModelBuilder(7, 9, 3).AveragePool2D(3, stride: 2),
        ["average_pool_same"] = () => new ModelBuilder(7, 6, 3).AveragePool2D(3, stride: 1, padding: Padding.Same),
        ["average_pool_padding"] = () => new ModelBuilder(7, 6, 3).AveragePool2D(new(3, 2), stride: 2, padding: Padding.Explicit(2, 1, 0, 1)),
        ["global_average_pool"] = () => new ModelBuilder(7, 6, 3).GlobalAveragePool2D(),
        ["dropout"] = () => new ModelBuilder(4, 5, 3).Dropout(0.25f).Dense(3),
        ["add"] = Residual(3, (builder, start) => builder.Add(start)),
        ["add_to_itself"] = Residual(3, (builder, _) => builder.Add(builder.Current)),
        ["add_of_three"] = Residual(3, (builder, start) => builder.Add(start, builder.Current)),
        ["add_of_vectors"] = Vectors((builder, other) => builder.Add(other)),
        ["add_of_flattened"] = Residual(3, (builder, start) => builder.Flatten().Add(builder.From(start).Activate(Activation.Tanh).Flatten().Current)),
        ["add_of_flattened_and_dense"] = () =>
        {
            ModelBuilder builder = new ModelBuilder(2, 3, 2).Conv2D(2, 3).Flatten();
            Node flat = builder.Current;
            return builder.Dense(12).Add(flat).Dense(3);
        },
        ["multiply"] = Residual(3, (builder, start) => builder.Multiply(start)),
        ["multiply_by_channel"] = Residual(3, (builder, start) => builder.Multiply(builder.From(start).GlobalAveragePool2D().Current)),
        ["multiply_of_vectors"] = Vectors((builder, other) => builder.Multiply(other)),
        ["squeeze_excitation"] = () => new ModelBuilder(5, 4, 3).Conv2D(8, 3).SqueezeExcitation(2).GlobalAveragePool2D(),
        ["gated_by_its_own_sigmoid_and_read_twice"] = () =>
        {
            ModelBuilder builder = new ModelBuilder(3, 4, 2).Conv2D(3, 3);
            Node x = builder.Current, gate = builder.Activate(Activation.Sigmoid).Current;
            return builder.From(x).Multiply(gate).Add(gate);
        },
        ["concat"] = Residual(4, (builder, start) => builder.Concat(start, builder.Current)),
        ["concat_of_vectors"] = Vectors((builder, other) => builder.Concat(other).Dense(3)),
        ["concat_of_flattened"] = Residual(4, (builder, start) => builder.Flatten().Concat(builder.From(start).GlobalAveragePool2D().Current).Dense(3)),
        ["class_names"] = () => new ModelBuilder(2, 2, 1).Dense(3).ClassNames("ein \"a\"", "ü", ""),
    };

    /// <summary>Every sample's name: those above, and each activation on images and on vectors.</summary>
    public static IEnumerable<string> Names =>
        Builders.Keys.Concat(Enum.GetNames<Activation>().SelectMany(function => (string[])[$"image_{function}", $"vector_{function}"]));

    public static Model Build(string name) => Scramble(Builder(name).Build(1), 2);

    /// <summary>A graph of residuals, joins, gates, pools and convolutions that the seed chooses.</summary>
    public static Model Random(int seed)
    {
        var random = new System.Random(seed);
        var builder = new ModelBuilder(random.Next(5, 13), random.Next(5, 13), random.Next(1, 5));
        if (random.Next(2) == 0)
            builder.Normalize(0.5f, 0.1f, 2);

        List<Node> nodes = [builder.Conv2D(random.Next(2, 9), 3).Current];
        for (int step = random.Next(4, 14); step > 0; step--)
        {
            Node from = nodes[random.Next(nodes.Count)];
            builder.From(from);
            Node[] same = [.. nodes.Where(node => node.Shape == from.Shape)], near = [.. nodes.Where(node => (node.Shape with { Channels = from.Shape.Channels }) == from.Shape)];
            var function = (Activation)random.Next(Enum.GetValues<Activation>().Length);
            Padding padding = random.Next(2) == 0 ? Padding.Same : Padding.Explicit(random.Next(2), random.Next(2), random.Next(2), random.Next(2));
            var kernel = new Size2D(random.Next(1, Math.Min(4, from.Shape.Height + 1)), random.Next(1, Math.Min(4, from.Shape.Width + 1)));
            switch (random.Next(12))
            {
                case 0:
                    builder.Conv2D(random.Next(1, 9), kernel, stride: random.Next(1, 3), padding: padding, useBias: random.Next(2) == 0, activation: function);
                    break;
                case 1:
                    builder.DepthwiseConv2D(kernel, random.Next(1, 3), dilation: random.Next(1, 3), activation: function);
                    break;
                case 2:
                    builder.SeparableConv2D(random.Next(1, 9), kernel, activation: function, batchNormalization: random.Next(2) == 0);
                    break;
                case 3:
                    builder.MaxPool2D(kernel, stride: random.Next(1, 3));
                    break;
                case 4:
                    builder.AveragePool2D(kernel, stride: random.Next(1, 3), padding: Padding.Same);
                    break;
                case 5 or 6:
                    builder.Add([.. same.Take(random.Next(1, 4))]);
                    break;
                case 7:
                    builder.Concat([.. near.Take(random.Next(1, 4))]);
                    break;
                case 8:
                    builder.SqueezeExcitation(random.Next(1, 4));
                    break;
                case 9:
                    builder.Multiply(same[random.Next(same.Length)]);
                    break;
                case 10:
                    builder.BatchNormalization().Activate(function);
                    break;
                default:
                    builder.PointwiseConv2D(random.Next(1, 9)).Dropout(0.2f);
                    break;
            }

            nodes.Add(builder.Current);
        }

        // Everything that was made so far joins the output.
        Node[] ends = [.. nodes.Select(node => random.Next(2) == 0 ? builder.From(node).Flatten().Current : builder.From(node).GlobalAveragePool2D().Current)];
        return Scramble((ends.Length > 1 ? builder.Concat(ends[..^1]) : builder).Dense(random.Next(4, 9)).Build((ulong)seed), seed);
    }

    /// <summary>Gives every parameter values that matter, biases and running statistics too.</summary>
    private static Model Scramble(Model model, int seed)
    {
        var random = new System.Random(seed);
        foreach (Parameter parameter in model.Parameters)
        {
            foreach (ref float value in parameter.Value.Span)
            {
                value = parameter.Role switch
                {
                    ParameterRole.Kernel => value,
                    ParameterRole.RunningVariance or ParameterRole.Gamma => 0.5f + random.NextSingle(),
                    _ => random.NextSingle() - 0.5f,
                };
            }
        }

        return model;
    }

    private static ModelBuilder Builder(string name) => name.Split('_', 2) switch
    {
        ["image", var function] when Enum.TryParse(function, out Activation image) => new ModelBuilder(5, 4, 3).Normalize(4).Layer(new ActivationLayer(image)),
        ["vector", var function] when Enum.TryParse(function, out Activation vector) => new ModelBuilder(2, 2, 2).Dense(5).Layer(new ActivationLayer(vector)).Dense(3),
        _ => Builders[name](),
    };

    private static Func<ModelBuilder> Residual(int filters, Func<ModelBuilder, Node, ModelBuilder> join) => () =>
    {
        ModelBuilder builder = new ModelBuilder(5, 4, 3).Conv2D(3, 3).ReLU();
        Node start = builder.Current;
        return join(builder.Conv2D(filters, 3), start);
    };

    /// <summary>A vector of a dense layer meets one of a pooling, which ONNX holds in another layout.</summary>
    private static Func<ModelBuilder> Vectors(Func<ModelBuilder, Node, ModelBuilder> join) => () =>
    {
        var builder = new ModelBuilder(5, 4, 3);
        Node input = builder.Current, pooled = builder.GlobalAveragePool2D().Current;
        return join(builder.From(input).Dense(3), pooled);
    };
}
