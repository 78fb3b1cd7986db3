using System.Globalization;
using NativeConv;

namespace MnistTrainer;

/// <summary>Chooses a recipe's learning rate, batch size and width by training on a part of the training images and measuring on the rest.</summary>
internal static class SettingsSearch
{
    /// <summary>The part of every class that is held out where the user holds out nothing.</summary>
    private const double HeldOut = 0.1;

    /// <summary>How far from the recipe's own learning rate is searched, either way.</summary>
    private const float RateFactor = 10;

    private static readonly int[] BatchSizes = [32, 64, 128, 256];
    private static readonly float[] Widths = [0.5f, 1, 1.5f, 2];

    /// <summary>Searches what the user did not set, shows and writes what was tried, and gives the recipe with the best settings.</summary>
    /// <param name="terminal">Where to show it.</param>
    /// <param name="options">What the user asked for.</param>
    /// <param name="kind">What the images are.</param>
    /// <param name="train">The images to train on.</param>
    /// <param name="validation">Those that the user holds out, if any.</param>
    /// <param name="run">Where to write it.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentException">There are too few images to hold some out.</exception>
    /// <exception cref="NonFiniteException">Every training ended with a loss that was not finite.</exception>
    public static Recipe Run(
        Terminal terminal, TrainOptions options, ImageKind kind, Dataset train, Dataset? validation, RunFolder run, CancellationToken cancellationToken)
    {
        Recipe recipe = options.Recipe;
        (Dataset learned, Dataset held) = validation != null ? (train, validation) : train.SplitStratified(HeldOut, options.Seed);
        if (learned.Count == 0 || held.Count == 0)
            throw new ArgumentException($"{train.Count} training images are too few to hold some out for a search.");

        HyperparameterSearch search = new(Space(options), options.SearchTrials, recipe.Epochs, options.Seed);
        terminal.Line($"Searching: {options.SearchTrials} trials of up to {recipe.Epochs} epochs, {learned.Count} images to train on, {held.Count} held out.");
        IReadOnlyList<SearchTrial> trials = search.Run(Train, new Told(terminal), cancellationToken);
        string[][] rows = [.. trials.Select(trial => Row(trial, recipe.With(trial.Settings).Make(kind, options.Seed).TrainableParameterCount))];
        run.WriteSearch([Columns, .. rows]);
        terminal.Table("Tried, the best first:", Columns, rows);
        return trials[0].HeldOut != null
            ? recipe.With(trials[0].Settings)
            : throw new NonFiniteException("Every trial of the search ended with a loss that was not finite: set a lower --learning-rate.");

        Evaluation Train(SearchSettings settings, int epochs)
        {
            Recipe tried = recipe.With(settings) with { Epochs = epochs };
            Model model = tried.Make(kind, options.Seed);
            model.Execution = new() { ThreadCount = options.Threads };
            model.Fit(learned, options: tried.ToFitOptions(options.Seed, cancellationToken: cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            return model.Evaluate(held, cancellationToken: cancellationToken);
        }
    }

    private static string[] Columns => ["trial", "learning rate", "batch size", "width", "parameters", "epochs", "accuracy", "loss"];

    private static SearchSpace Space(TrainOptions options)
    {
        Recipe recipe = options.Recipe;
        float factor = options.Given.Contains(CommandLine.LearningRateName) ? 1 : RateFactor;
        return new()
        {
            LowestLearningRate = recipe.LearningRate / factor,
            HighestLearningRate = recipe.LearningRate * factor,
            BatchSizes = options.Given.Contains(CommandLine.BatchSizeName) ? [recipe.BatchSize] : BatchSizes,
            Widths = options.Given.Contains(CommandLine.WidthName) ? [recipe.Width] : Widths,
        };
    }

    private static string[] Row(SearchTrial trial, long parameters)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        SearchSettings settings = trial.Settings;
        return
        [
            settings.Number.ToString(culture), settings.LearningRate.ToString(culture), settings.BatchSize.ToString(culture), settings.Width.ToString(culture),
            parameters.ToString(culture), trial.Epochs.ToString(culture), trial.HeldOut?.Accuracy.ToString("F4", culture) ?? "", trial.HeldOut?.Loss.ToString("F4", culture) ?? "not finite",
        ];
    }

    /// <summary>A line for every training.</summary>
    private sealed class Told(Terminal terminal) : IProgress<SearchTrial>
    {
        public void Report(SearchTrial trial) => terminal.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"trial {trial.Settings.Number,2}  learning rate {trial.Settings.LearningRate}  batch size {trial.Settings.BatchSize}  width {trial.Settings.Width}  {trial.Epochs} epochs  {Figures(trial)}"));

        private static string Figures(SearchTrial trial) => trial.HeldOut is { } held
            ? string.Create(CultureInfo.InvariantCulture, $"held-out loss {held.Loss:F4} accuracy {held.Accuracy:P2}")
            : "loss not finite";
    }
}
