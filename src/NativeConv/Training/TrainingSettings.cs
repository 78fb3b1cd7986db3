using System.Globalization;
using NativeConv.Graph;

namespace NativeConv.Training;

/// <summary>What decides a training's bits, in words: two trainings whose words are equal give equal states after equal steps.</summary>
internal static class TrainingSettings
{
    /// <summary>Digits of a data set's hash that are kept.</summary>
    private const int HashLength = 16;

    public static SortedDictionary<string, string> Describe(
        Model model, IReadOnlyList<string> frozen, Dataset train, Dataset? validation, FitOptions options, Loss loss, Optimizer optimizer)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["augmentation"] = options.Augmentation?.ToString() ?? "none",
            ["averaging"] = options.Averaging?.ToString() ?? "none",
            ["batch size"] = options.BatchSize.ToString(CultureInfo.InvariantCulture),
            ["clipping"] = options.Clipping?.ToString() ?? "none",
            ["loss"] = loss.ToString()!,
            ["micro batch size"] = options.MicroBatchSize?.ToString(CultureInfo.InvariantCulture) ?? "none",
            ["optimizer"] = optimizer.ToString()!,
            ["schedule"] = options.Schedule?.ToString() ?? "none",
            ["seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
            ["shuffle"] = options.Shuffle ? "true" : "false",
            ["training data"] = Describe(train),
            ["validation data"] = validation == null ? "none" : Describe(validation),
        };
        if (options.Schedule?.DependsOnLength == true)
            settings["epochs"] = options.Epochs.ToString(CultureInfo.InvariantCulture);

        // What is not used has no entry, so that states from before it was there still go on.
        if (frozen.Count > 0)
            settings["frozen layers"] = string.Join(", ", frozen);

        if (options.LearningRateFactors.Count > 0)
            settings["learning rate factors"] = LearningRates.Describe(options.LearningRateFactors);

        if (options.Distillation is { } distillation)
            settings["distillation"] = $"{distillation} from a teacher of SHA-256 {ContentHash.Of(distillation.Teacher)[..HashLength]}";

        foreach (Node node in model.Nodes)
            settings[$"layer {node.Name}"] = Describe(node);

        foreach (IResumableCallback callback in options.Callbacks.OfType<IResumableCallback>())
        {
            if (callback.Name.Contains('/', StringComparison.Ordinal) || !settings.TryAdd($"callback {callback.Name}", callback.ToString() ?? ""))
                throw new ArgumentException($"The name of a resumable callback must be its own and without a slash, but one is '{callback.Name}'.", nameof(options));
        }

        return settings;
    }

    /// <exception cref="ArgumentException">The two differ; the message says in what.</exception>
    public static void RequireEqual(IReadOnlyDictionary<string, string> saved, IReadOnlyDictionary<string, string> own)
    {
        string[] differences =
        [
            .. saved.Keys.Union(own.Keys).Order(StringComparer.Ordinal)
                .Select(key => (Key: key, Saved: saved.GetValueOrDefault(key, "missing"), Own: own.GetValueOrDefault(key, "missing")))
                .Where(setting => setting.Saved != setting.Own)
                .Select(setting => $"{setting.Key} is {setting.Saved} there, but {setting.Own} here"),
        ];
        if (differences.Length > 0)
            throw new ArgumentException($"The state to resume belongs to another training: {string.Join("; ", differences)}.", nameof(FitOptions.Resume));
    }

    private static string Describe(Dataset data) => string.Create(
        CultureInfo.InvariantCulture, $"{data.Count} images of {data.Shape} in {data.ClassCount} classes, SHA-256 {ContentHash.Of(data)[..HashLength]}");

    private static string Describe(Node node)
    {
        var configuration = new LayerConfiguration();
        node.Layer.Describe(configuration);
        string settings = string.Join(", ", configuration.Names.Select(name => string.Create(CultureInfo.InvariantCulture, $"{name}: {configuration.Value(name)}")));
        return string.Create(CultureInfo.InvariantCulture, $"number {node.Index}, {node.Layer.Kind}({settings}) of [{string.Join(", ", node.Inputs.Select(input => input.Name))}]");
    }
}
