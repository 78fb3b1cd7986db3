using NativeConv.Serialization;

namespace NativeConv;

/// <summary>Loads weights by name into a model that was built in code: every one, or those that fit.</summary>
public static class ModelWeights
{
    /// <summary>Loads weights from a safetensors file, as <see cref="ModelFile.Save(Model, string)"/> writes; its graph, if any, is not looked at.</summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="path">The file. Tensors are float32, or float16 or bfloat16, which are widened.</param>
    /// <param name="strict">Whether every parameter must have its tensor and every tensor its parameter; otherwise what fits is loaded.</param>
    /// <param name="names">The tensor's name for each parameter whose own differs.</param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="ArgumentException">The names name no parameter of the model.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format, or <paramref name="strict"/> is set and it does not fit. Nothing has been changed.</exception>
    public static WeightsReport LoadWeights(this Model model, string path, bool strict = true, IReadOnlyDictionary<string, string>? names = null) =>
        Load(model, SafetensorsFile.Read(path), strict, names);

    /// <summary>Loads weights from a stream, to its end; it stays open. Otherwise as from a file.</summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="stream">What is in a safetensors file.</param>
    /// <param name="strict">Whether every parameter must have its tensor and every tensor its parameter; otherwise what fits is loaded.</param>
    /// <param name="names">The tensor's name for each parameter whose own differs.</param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="ArgumentException">The names name no parameter of the model.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="InvalidDataException">The contents break a rule of the format, or <paramref name="strict"/> is set and they do not fit. Nothing has been changed.</exception>
    public static WeightsReport LoadWeights(this Model model, Stream stream, bool strict = true, IReadOnlyDictionary<string, string>? names = null) =>
        Load(model, SafetensorsFile.Read(stream), strict, names);

    /// <summary>Copies weights from tensors in memory.</summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="weights">Tensors by the names of the model's parameters, in their layout.</param>
    /// <param name="strict">Whether every parameter must have its tensor and every tensor its parameter; otherwise what fits is copied.</param>
    /// <returns>What was copied, what was missing, left over, and of another shape.</returns>
    /// <exception cref="ArgumentException"><paramref name="strict"/> is set and the weights do not fit. Nothing has been changed.</exception>
    public static WeightsReport LoadWeights(this Model model, IReadOnlyDictionary<string, Tensor> weights, bool strict = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        var transfer = new WeightTransfer(weights.Keys);
        foreach (Parameter parameter in model.Parameters)
        {
            if (weights.TryGetValue(parameter.Name, out Tensor? tensor))
            {
                transfer.Pair(
                    parameter, parameter.Name, WeightTransfer.Dimensions(parameter.Shape), WeightTransfer.Dimensions(tensor.Shape), values => tensor.Span.CopyTo(values));
            }
            else
            {
                transfer.Missing(parameter);
            }
        }

        return transfer.Finish(strict, what => new ArgumentException($"Of the tensors given, {what}.", nameof(weights)));
    }

    private static WeightsReport Load(Model model, SafetensorsFile file, bool strict, IReadOnlyDictionary<string, string>? names)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (string name in names?.Keys ?? [])
        {
            if (!model.Parameters.Any(parameter => parameter.Name == name))
                throw new ArgumentException($"The model has no parameter '{name}'; it has {string.Join(", ", model.Parameters.Select(parameter => parameter.Name))}.", nameof(names));
        }

        var transfer = new WeightTransfer(file.Entries.Keys);
        foreach (Parameter parameter in model.Parameters)
        {
            string tensor = names?.GetValueOrDefault(parameter.Name) ?? parameter.Name;
            if (!file.Entries.TryGetValue(tensor, out SafetensorsEntry? entry))
            {
                transfer.Missing(parameter);
                continue;
            }

            file.RequireFloats(entry);
            transfer.Pair(parameter, tensor, WeightTransfer.Dimensions(parameter.Shape), entry.Shape, values => file.CopyTo(entry, values));
        }

        return transfer.Finish(strict, what => file.Broken(8, what));
    }
}
