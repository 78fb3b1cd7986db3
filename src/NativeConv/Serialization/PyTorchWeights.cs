using NativeConv.Serialization;

namespace NativeConv;

/// <summary>Loads a PyTorch <c>state_dict</c>, saved as safetensors, into a model that was built in code with the same layers.</summary>
public static class PyTorchWeights
{
    /// <summary>
    /// Loads a <c>state_dict</c>. Layouts are transposed: convolutions [out, in, rows, columns] to [rows, columns, in, out], depthwise ones [channels * multiplier, 1,
    /// rows, columns] to [rows, columns, channels, multiplier], linear ones [out, in] to [in, out]; what follows a Flatten is brought from PyTorch's order of
    /// channels, rows, columns to rows, columns, channels. A normalization's weight is gamma, its bias beta; <c>num_batches_tracked</c> has no place here.
    /// </summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="path">The safetensors file; float32, or float16 or bfloat16, which are widened.</param>
    /// <param name="strict">Whether every parameter must have its tensor and every tensor its parameter; otherwise what fits is loaded.</param>
    /// <param name="modules">
    /// The PyTorch module of each layer, as <c>["conv2d"] = "features.0"</c>; a layer not in it has the module of its own name. Where null, modules are taken by
    /// order: convolutions, linear modules and normalizations each as their layers stand in the model, module names in natural order (<c>features.2</c> before
    /// <c>features.10</c>), for the file itself keeps none.
    /// </param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="ArgumentException">The modules name no layer of the model.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">
    /// The file breaks a rule of the format, or <paramref name="strict"/> is set and it does not fit, or modules of one shape have names that do not tell their order. Nothing
    /// has been changed.
    /// </exception>
    public static WeightsReport LoadPyTorchWeights(this Model model, string path, bool strict = true, IReadOnlyDictionary<string, string>? modules = null) =>
        Load(model, SafetensorsFile.Read(path), strict, modules);

    /// <summary>Loads a <c>state_dict</c> from a stream, to its end; it stays open. Otherwise as from a file.</summary>
    /// <param name="model">The model, whose parameters are overwritten.</param>
    /// <param name="stream">What is in a safetensors file.</param>
    /// <param name="strict">Whether every parameter must have its tensor and every tensor its parameter; otherwise what fits is loaded.</param>
    /// <param name="modules">The PyTorch module of each layer; by order where null.</param>
    /// <returns>What was loaded, what was missing, left over, and of another shape.</returns>
    /// <exception cref="ArgumentException">The modules name no layer of the model.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="InvalidDataException">As from a file.</exception>
    public static WeightsReport LoadPyTorchWeights(this Model model, Stream stream, bool strict = true, IReadOnlyDictionary<string, string>? modules = null) =>
        Load(model, SafetensorsFile.Read(stream), strict, modules);

    private static WeightsReport Load(Model model, SafetensorsFile file, bool strict, IReadOnlyDictionary<string, string>? modules)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (string name in modules?.Keys ?? [])
        {
            if (!model.Nodes.Any(node => node.Name == name))
                throw new ArgumentException($"The model has no layer '{name}'; it has {string.Join(", ", model.Nodes.Select(node => node.Name))}.", nameof(modules));
        }

        var transfer = new WeightTransfer(file.Entries.Keys);
        foreach (string tensor in file.Entries.Keys.Where(name => name.EndsWith("num_batches_tracked", StringComparison.Ordinal)))
            transfer.Ignore(tensor);

        IReadOnlyDictionary<Node, string> moduleOf = modules == null
            ? PyTorchModules.ByOrder(model, file)
            : model.Nodes.ToDictionary(node => node, node => modules.GetValueOrDefault(node.Name, node.Name));
        PyTorchLayout[] layouts = PyTorchLayout.Of(model);
        foreach (Node node in model.Nodes)
        {
            for (int i = 0; i < node.Layer.Parameters(node.InputShapes()).Count; i++)
            {
                Parameter parameter = model.Store.Parameter(node, i);
                string? tensor = moduleOf.TryGetValue(node, out string? module) ? PyTorchModules.TensorOf(module, parameter.Role) : null;
                if (tensor == null || !file.Entries.TryGetValue(tensor, out SafetensorsEntry? entry))
                {
                    transfer.Missing(parameter);
                    continue;
                }

                file.RequireFloats(entry);
                PyTorchLayout layout = layouts[node.Index];
                transfer.Pair(parameter, tensor, layout.ShapeOf(parameter), entry.Shape, values =>
                {
                    float[] theirs = new float[values.Length];
                    file.CopyTo(entry, theirs);
                    layout.Transpose(parameter, theirs, values);
                });
            }
        }

        return transfer.Finish(strict, what => file.Broken(8, what));
    }
}
