namespace NativeConv.Keras;

/// <summary>Models and weights that Keras 3 saved: <c>.keras</c> archives and <c>.weights.h5</c> files.</summary>
public static class KerasFile
{
    /// <summary>Reads a model, Sequential or functional, with its weights.</summary>
    /// <param name="path">A <c>.keras</c> file.</param>
    /// <param name="classNames">What the outputs stand for, which Keras does not save; null for nothing.</param>
    /// <returns>The model. A softmax at its output is left out: predictions are logits.</returns>
    /// <exception cref="ArgumentException">The class names are not as many as the outputs.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no such file, or has a layer or a setting that the library lacks, which the message names.</exception>
    public static Model Load(string path, IReadOnlyList<string>? classNames = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Load(File.ReadAllBytes(path), path, classNames);
    }

    /// <summary>Reads a model from a stream, to its end; it stays open. Otherwise as from a file.</summary>
    /// <param name="stream">What is in a <c>.keras</c> file.</param>
    /// <param name="classNames">What the outputs stand for, which Keras does not save; null for nothing.</param>
    /// <exception cref="ArgumentException">The class names are not as many as the outputs.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="InvalidDataException">As from a file.</exception>
    public static Model Load(Stream stream, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(ReadAll(stream), "the stream", classNames);
    }

    /// <summary>
    /// Loads weights into a model that was built in code with the same layers. Keras numbers its layers by class, in their order: <c>conv2d</c>, <c>conv2d_1</c>. A layer of the
    /// model takes the next of its class: convolutions and pointwise ones <c>conv2d</c>, a depthwise and a pointwise one of <see cref="ModelBuilder.SeparableConv2D"/> without
    /// normalization <c>separable_conv2d</c> together. A normalization without scale or centre keeps gamma or beta as they are.
    /// </summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="path">A <c>.weights.h5</c> file, or a <c>.keras</c> file.</param>
    /// <param name="strict">Whether every parameter must have its variable and every variable its parameter; otherwise what fits is loaded.</param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no such file, or <paramref name="strict"/> is set and it does not fit. Nothing has been changed.</exception>
    public static WeightsReport LoadKerasWeights(this Model model, string path, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return LoadWeights(model, File.ReadAllBytes(path), path, strict);
    }

    /// <summary>Loads weights from a stream, to its end; it stays open. Otherwise as from a file.</summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="stream">What is in a <c>.weights.h5</c> or a <c>.keras</c> file.</param>
    /// <param name="strict">Whether every parameter must have its variable and every variable its parameter; otherwise what fits is loaded.</param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="InvalidDataException">As from a file.</exception>
    public static WeightsReport LoadKerasWeights(this Model model, Stream stream, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        return LoadWeights(model, ReadAll(stream), "the stream", strict);
    }

    private static Model Load(byte[] file, string name, IReadOnlyList<string>? classNames)
    {
        var archive = new KerasArchive(file, name);
        KerasGraph graph = KerasGraph.Read(archive.Config, $"{name}/{KerasArchive.ConfigName}");
        KerasVariables variables = KerasVariables.Read(archive.Weights, $"{name}/{KerasArchive.WeightsName}");
        variables.Require(graph.Slots);
        if (classNames != null && classNames.Count != graph.OutputShape.Length)
            throw new ArgumentException($"The model has {graph.OutputShape.Length} outputs, but {classNames.Count} class names were given.", nameof(classNames));

        Model model = graph.Build(classNames ?? []);
        variables.Load(model, graph.Slots, strict: true);
        return model;
    }

    private static WeightsReport LoadWeights(Model model, byte[] file, string name, bool strict)
    {
        // A zip file is a whole model.
        KerasVariables variables = file is [(byte)'P', (byte)'K', ..]
            ? KerasVariables.Read(new KerasArchive(file, name).Weights, $"{name}/{KerasArchive.WeightsName}")
            : KerasVariables.Read(file, name);
        return variables.Load(model, KerasSlots.Of(model), strict);
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
