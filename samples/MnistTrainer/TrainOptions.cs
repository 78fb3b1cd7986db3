using System.Globalization;

namespace MnistTrainer;

/// <summary>What the user asked a training for.</summary>
internal sealed record TrainOptions
{
    private const string LoadedProperty = "loaded", Pictures = "pictures", None = "none";

    public required DataSource Data { get; init; }

    /// <summary>The network and how it is trained, with what the user set.</summary>
    public required Recipe Recipe { get; init; }

    public required ulong Seed { get; init; }

    public required int Threads { get; init; }

    public required int? Limit { get; init; }

    public required int Validation { get; init; }

    public required string? Output { get; init; }

    public required bool Resume { get; init; }

    public required int? CheckpointEvery { get; init; }

    public required int? StopAfterSteps { get; init; }

    public required bool TensorBoard { get; init; }

    /// <summary>Whether settings that the user did not give are searched for.</summary>
    public required bool Search { get; init; }

    public required int SearchTrials { get; init; }

    /// <summary>The names of the options that the user gave.</summary>
    public required IReadOnlySet<string> Given { get; init; }

    /// <summary>What decides the training, by the options' names, for its checkpoint.</summary>
    /// <param name="loaded">The data set that the images are in the end.</param>
    public Dictionary<string, string> ToProperties(string loaded)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        return new()
        {
            [CommandLine.DatasetName] = Data.Images == null ? Data.Dataset : Pictures,
            [CommandLine.ImageSizeName] = Data.Images?.Size?.ToString(culture) ?? None,
            [CommandLine.GreyName] = Word(Data.Images?.Grey == true),
            [CommandLine.ClassesName] = Data.Classes?.ToString() ?? None,
            [CommandLine.RecipeName] = Recipe.Name,
            [CommandLine.AugmentName] = Word(Recipe.Augmentation != null),
            [CommandLine.EpochsName] = Recipe.Epochs.ToString(culture),
            [CommandLine.BatchSizeName] = Recipe.BatchSize.ToString(culture),
            [CommandLine.LearningRateName] = Recipe.LearningRate.ToString(culture),
            [CommandLine.WidthName] = Recipe.Width.ToString(culture),
            [CommandLine.SeedName] = Seed.ToString(culture),
            [CommandLine.LimitName] = Limit?.ToString(culture) ?? None,
            [CommandLine.ValidationName] = Validation.ToString(culture),
            [LoadedProperty] = Data.Images == null ? loaded : Pictures,
        };
    }

    /// <summary>The options that a checkpoint kept, with those that decide nothing about the result as the user gave them now. More epochs may be asked for.</summary>
    /// <exception cref="InvalidDataException">The checkpoint is not one of this trainer's.</exception>
    /// <exception cref="ArgumentException">The user gave an option another value than the run was started with.</exception>
    public TrainOptions Continue(IReadOnlyDictionary<string, string> saved, RunFolder run)
    {
        foreach ((string name, string value) in ToProperties(""))
        {
            if (!saved.TryGetValue(name, out string? before))
                throw new InvalidDataException($"'{run.CheckpointFile}' is not a checkpoint of this trainer: it does not say '{name}'.");

            bool isGiven = Given.Contains(name) || (name == CommandLine.DatasetName && Data.Images != null);
            if (isGiven && name != CommandLine.EpochsName && value != before)
                throw new ArgumentException($"{name} is {value}, but the run in '{run.Path}' was started with {before}.");
        }

        try
        {
            CultureInfo culture = CultureInfo.InvariantCulture;
            int? size = Whole(saved[CommandLine.ImageSizeName]);
            bool grey = bool.Parse(saved[CommandLine.GreyName]);
            string? folder = Data.Images?.Path ?? Data.Folder ?? run.DataFolder;
            string classes = saved[CommandLine.ClassesName];
            ClassRange? range = classes == None ? null : ClassRange.Parse(classes) ?? throw new FormatException($"'{classes}' are no classes.");
            return this with
            {
                Data = saved[LoadedProperty] == Pictures
                    ? new(DataSource.Mnist, null, new(folder ?? throw new ArgumentException("--images must say where the run's pictures are."), size, grey), range)
                    : new(saved[LoadedProperty], folder, null, range),
                Recipe = Recipes.Get(saved[CommandLine.RecipeName]).With(
                    Given.Contains(CommandLine.EpochsName) ? Recipe.Epochs : int.Parse(saved[CommandLine.EpochsName], culture),
                    int.Parse(saved[CommandLine.BatchSizeName], culture),
                    float.Parse(saved[CommandLine.LearningRateName], culture),
                    bool.Parse(saved[CommandLine.AugmentName]),
                    float.Parse(saved[CommandLine.WidthName], culture)),
                Seed = ulong.Parse(saved[CommandLine.SeedName], culture),
                Limit = Whole(saved[CommandLine.LimitName]),
                Validation = int.Parse(saved[CommandLine.ValidationName], culture),
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException)
        {
            throw new InvalidDataException($"'{run.CheckpointFile}' is not a checkpoint of this trainer: {e.Message}", e);
        }
    }

    private static string Word(bool value) => value ? "true" : "false";

    private static int? Whole(string text) => text == None ? null : int.Parse(text, CultureInfo.InvariantCulture);
}
