using NativeConv.Serialization;

namespace NativeConv;

/// <summary>Models as safetensors files: weights, running statistics, graph, normalization and class names in one.</summary>
public static class ModelFile
{
    private const string VersionKey = "nativeconv.version", GraphKey = "nativeconv.graph";

    /// <summary>The version of the graph's description.</summary>
    private const string Version = "1";

    extension(Model)
    {
        /// <summary>Reads a model that <see cref="Save(Model, string)"/> wrote.</summary>
        /// <param name="path">The file.</param>
        /// <param name="customLayers">What makes each layer of your own from its settings, by its kind.</param>
        /// <exception cref="IOException">The file cannot be read.</exception>
        /// <exception cref="InvalidDataException">The file breaks a rule of the format or holds no such model; the message names file, place and rule.</exception>
        public static Model Load(string path, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>>? customLayers = null) =>
            Load(SafetensorsFile.Read(path), path, customLayers);

        /// <summary>Reads a model from a stream, to its end; the stream stays open.</summary>
        /// <param name="stream">What <see cref="Save(Model, Stream)"/> wrote.</param>
        /// <param name="customLayers">What makes each layer of your own from its settings, by its kind.</param>
        /// <exception cref="IOException">The stream cannot be read.</exception>
        /// <exception cref="InvalidDataException">The contents break a rule of the format or hold no such model; the message names place and rule.</exception>
        public static Model Load(Stream stream, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>>? customLayers = null) =>
            Load(SafetensorsFile.Read(stream), SafetensorsFile.NameOf(stream), customLayers);

        /// <summary>Reads a model from memory, as from an embedded resource.</summary>
        /// <param name="file">The bytes of a whole file; they are not kept.</param>
        /// <param name="customLayers">What makes each layer of your own from its settings, by its kind.</param>
        /// <exception cref="InvalidDataException">The bytes break a rule of the format or hold no such model; the message names place and rule.</exception>
        public static Model Load(ReadOnlyMemory<byte> file, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>>? customLayers = null) =>
            Load(new SafetensorsFile(file, "the bytes"), "the bytes", customLayers);
    }

    /// <summary>Writes the model. Equal models give equal files; a crash leaves the old file or the new one.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, which is replaced.</param>
    /// <exception cref="IOException">The file cannot be written; the old one is as it was.</exception>
    public static void Save(this Model model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        AtomicFile.Write(path, model.Save);
    }

    /// <summary>Writes the model to a stream, which stays open. Equal models give equal bytes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">Where to.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(this Model model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        var metadata = new Dictionary<string, string> { [VersionKey] = Version, [GraphKey] = GraphJson.Write(model) };
        SafetensorsWriter.Write(stream, metadata, [.. model.Parameters.Select(parameter => (parameter.Name, parameter.Shape, (ReadOnlyMemory<float>)parameter.Value.Memory))]);
    }

    /// <summary>The bytes of the file that <see cref="Save(Model, string)"/> would write.</summary>
    /// <param name="model">The model.</param>
    public static byte[] SaveToBytes(this Model model)
    {
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    private static Model Load(SafetensorsFile file, string name, IReadOnlyDictionary<string, Func<LayerConfiguration, Layer>>? customLayers)
    {
        if (!file.Metadata.TryGetValue(VersionKey, out string? version) || !file.Metadata.TryGetValue(GraphKey, out string? graph))
            throw file.Broken(8, $"the metadata must have '{VersionKey}' and '{GraphKey}', as every model that this library saves; LoadWeights reads weights alone");

        if (version != Version)
            throw file.Broken(8, $"'{VersionKey}' must be {Version}, but is '{version}': a later version of this library may read it");

        try
        {
            ModelBuilder builder = GraphJson.Read(graph, customLayers ?? new Dictionary<string, Func<LayerConfiguration, Layer>>());

            // Nothing is allocated for weights that the file does not hold.
            foreach (Node node in builder.Nodes)
            {
                foreach (ParameterDescription parameter in node.Layer.Parameters([.. node.Inputs.Select(input => input.Shape)]))
                    file.Require($"{node.Name}.{parameter.Name}", parameter.Shape);
            }

            Model model = builder.Build();
            foreach (Parameter parameter in model.Parameters)
                file.CopyTo(parameter.Name, parameter.Shape, parameter.Value.Span);

            return file.Entries.Count == model.Parameters.Count
                ? model
                : throw file.Broken(8, $"the graph has {model.Parameters.Count} tensors, but the file {file.Entries.Count}");
        }
        catch (Exception e) when (e is ArgumentException or OverflowException || (e is InvalidDataException && !e.Message.StartsWith(name, StringComparison.Ordinal)))
        {
            throw file.Broken(8, $"'{GraphKey}' is wrong: {e.Message}", e);
        }
    }
}
