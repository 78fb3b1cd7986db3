using NativeConv.Serialization;
using NativeConv.Training;

namespace NativeConv;

/// <summary>
/// Checkpoints as safetensors files: tensors named <c>model/layer.parameter</c>, <c>moment1/...</c>, <c>average/...</c> and <c>callbacks/name/...</c>, and in the metadata the
/// position, settings and history as JSON with a SHA-256 of everything.
/// </summary>
public static class TrainingStateFile
{
    private const string VersionKey = "nativeconv.version", StateKey = "nativeconv.training", HashKey = "nativeconv.sha256";
    private const string Version = "1", CallbackGroup = "callbacks/";

    extension(TrainingState)
    {
        /// <summary>Reads a checkpoint.</summary>
        /// <param name="path">The file.</param>
        /// <exception cref="IOException">The file cannot be read.</exception>
        /// <exception cref="InvalidDataException">The file breaks a rule of the format or is no checkpoint; the message names file, place and rule.</exception>
        public static TrainingState Load(string path)
        {
            ArgumentException.ThrowIfNullOrEmpty(path);
            return Read(SafetensorsFile.Read(path));
        }
    }

    /// <summary>Writes the state. Equal states give equal files; a crash leaves the old file or the new one.</summary>
    /// <param name="state">The state.</param>
    /// <param name="path">The file, which is replaced.</param>
    /// <exception cref="IOException">The file cannot be written; the old one is as it was.</exception>
    public static void Save(this TrainingState state, string path)
    {
        ArgumentNullException.ThrowIfNull(state);
        string json = TrainingStateJson.Write(state);
        StateTensor[] tensors =
        [
            .. state.Tensors,
            .. from callback in state.Callbacks
               from array in callback.Value.Arrays
               select new StateTensor($"{CallbackGroup}{callback.Key}/{array.Key}", new(array.Value.Length), array.Value),
        ];
        var metadata = new Dictionary<string, string> { [VersionKey] = Version, [StateKey] = json, [HashKey] = Hash(json, tensors) };
        AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, metadata, [.. tensors.Select(tensor => (tensor.Name, tensor.Shape, tensor.Values))]));
    }

    /// <summary>Reads a state from a file in memory.</summary>
    internal static TrainingState Read(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(StateKey, out string? json) || !file.Metadata.TryGetValue(HashKey, out string? hash)
            || !file.Metadata.TryGetValue(VersionKey, out string? version))
        {
            throw file.Broken(8, $"the metadata must have '{VersionKey}', '{StateKey}' and '{HashKey}', as every checkpoint that this library saves");
        }

        if (version != Version)
            throw file.Broken(8, $"'{VersionKey}' must be {Version}, but is '{version}'");

        StateTensor[] tensors = [.. file.Entries.Values.Select(entry => Read(file, entry))];
        if (hash != Hash(json, tensors))
            throw file.Broken(8, $"the contents do not have the SHA-256 '{HashKey}'");

        try
        {
            TrainingState state = TrainingStateJson.Read(json);
            foreach (StateTensor tensor in tensors.Where(IsCallbacks))
            {
                string[] parts = tensor.Name.Split('/', 3);
                CallbackState memory = parts.Length == 3 && state.Callbacks.TryGetValue(parts[1], out CallbackState? found)
                    ? found
                    : throw new InvalidDataException($"Tensor '{tensor.Name}' belongs to no callback.");
                memory.Set(parts[2], tensor.Values.Span);
            }

            return new(state.Position, state.Epochs, state.Settings, state.Properties, state.Callbacks, state.FrozenLayers, [.. tensors.Where(tensor => !IsCallbacks(tensor))]);
        }
        catch (InvalidDataException e)
        {
            throw file.Broken(8, $"'{StateKey}' is wrong: {e.Message}", e);
        }
    }

    private static bool IsCallbacks(StateTensor tensor) => tensor.Name.StartsWith(CallbackGroup, StringComparison.Ordinal);

    private static StateTensor Read(SafetensorsFile file, SafetensorsEntry entry)
    {
        try
        {
            var shape = new TensorShape([.. entry.Shape.Select(dimension => checked((int)dimension))]);
            file.Require(entry.Name, shape);
            float[] values = new float[shape.Length];
            file.CopyTo(entry.Name, shape, values);
            return new(entry.Name, shape, values);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw file.Broken(entry.Start, $"tensor '{entry.Name}' has no shape that a tensor can have: {e.Message}", e);
        }
    }

    /// <summary>The hash of all that the file says.</summary>
    internal static string Hash(string json, IReadOnlyCollection<StateTensor> tensors)
    {
        using var hash = new ContentHash();
        hash.Add(json);
        foreach (StateTensor tensor in tensors)
        {
            hash.Add(tensor.Name);
            hash.Add([tensor.Shape.Rank, .. tensor.Shape.ToArray()]);
            hash.Add(tensor.Values.Span);
        }

        return hash.Finish();
    }
}
