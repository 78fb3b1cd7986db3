using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NativeConv;

namespace MnistTrainer;

/// <summary>The folder of one training: the last checkpoint and the best model, the model in the end, its history, its times and its summary.</summary>
internal sealed class RunFolder
{
    private const string Runs = "runs", ModelName = "model.safetensors", BestName = "best.safetensors", CheckpointName = "checkpoint.safetensors";
    private const string HistoryName = "history.csv", TimesName = "timing.csv", SummaryName = "summary.json", PlaceName = "run.json";
    private const string ComparisonName = "finetune.csv", SearchName = "search.csv";
    private const string TimesHeader = "epoch,train_seconds,images_per_second", FinishedKey = "finished", DataKey = "data";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private RunFolder(string path)
    {
        Path = path;
    }

    public string Path { get; }

    public string ModelFile => PathOf(ModelName);

    public string BestModelFile => PathOf(BestName);

    public string CheckpointFile => PathOf(CheckpointName);

    public string HistoryFile => PathOf(HistoryName);

    public string ComparisonFile => PathOf(ComparisonName);

    /// <summary>Whether a training came to its end and everything about it was written.</summary>
    public bool IsFinished => Read<bool>(SummaryName, FinishedKey);

    /// <summary>The folder that the images came from, if the user named one. It is kept apart from the checkpoint, which says nothing of the machine.</summary>
    public string? DataFolder
    {
        get => Read<string>(PlaceName, DataKey);
        set => Write(PlaceName, new JsonObject { [DataKey] = value == null ? null : System.IO.Path.GetFullPath(value) }.ToJsonString(Indented) + "\n");
    }

    /// <summary>A folder for a new training, which takes the place of one that was there.</summary>
    public static RunFolder Create(string? folder)
    {
        var run = new RunFolder(folder ?? System.IO.Path.Combine(Runs, DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)));
        Directory.CreateDirectory(run.Path);
        foreach (string name in (string[])[SummaryName, CheckpointName, ModelName, BestName, HistoryName, TimesName, ComparisonName, SearchName, PlaceName])
            File.Delete(run.PathOf(name));

        return run;
    }

    /// <summary>The run in the folder that the user named, or the newest one, to go on with.</summary>
    /// <exception cref="FileNotFoundException">There is no checkpoint.</exception>
    public static RunFolder FindInterrupted(string? folder)
    {
        RunFolder? run = folder != null ? new(folder) : Newest(CheckpointName) is { } newest ? new(newest.DirectoryName!) : null;
        return run != null && File.Exists(run.CheckpointFile)
            ? run
            : throw new FileNotFoundException($"There is no {CheckpointName} in '{folder ?? Runs}' to go on from.");
    }

    /// <summary>Says that there is more to do.</summary>
    public void Reopen() => File.Delete(PathOf(SummaryName));

    /// <summary>The model that the user named, or the newest run's.</summary>
    public static string FindModel(string? named)
    {
        if (named != null)
            return File.Exists(named) ? named : throw new FileNotFoundException($"There is no model file '{named}'.");

        return Newest(ModelName)?.FullName ?? throw new FileNotFoundException($"There is no model in '{Runs}' yet: train one, or name one with --from.");
    }

    /// <summary>The times of the epochs so far; those that cannot be read are left out.</summary>
    public IEnumerable<EpochTime> ReadTimes()
    {
        if (!File.Exists(PathOf(TimesName)))
            yield break;

        foreach (string line in File.ReadAllLines(PathOf(TimesName)).Skip(1))
        {
            if (line.Split(',') is [var epoch, var seconds, var rate] && int.TryParse(epoch, out int number)
                && double.TryParse(seconds, CultureInfo.InvariantCulture, out double s) && double.TryParse(rate, CultureInfo.InvariantCulture, out double r))
            {
                yield return new(number, s, r);
            }
        }
    }

    public void WriteTimes(IEnumerable<EpochTime> epochs)
    {
        var text = new StringBuilder(TimesHeader + "\n");
        foreach (EpochTime epoch in epochs)
            text.Append(CultureInfo.InvariantCulture, $"{epoch.Epoch},{epoch.Seconds:F3},{epoch.ImagesPerSecond:F1}\n");

        Write(TimesName, text.ToString());
    }

    /// <summary>Writes what a search tried, the names of the columns first.</summary>
    public void WriteSearch(IEnumerable<string[]> rows) => Write(SearchName, string.Concat(rows.Select(row => string.Join(',', row) + "\n")));

    /// <param name="dataset">The data set that the images are.</param>
    /// <param name="network">The network's name, or the model file that was started from.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="threads">Threads that worked at once.</param>
    /// <param name="model">What was trained.</param>
    /// <param name="history">What each epoch gave.</param>
    /// <param name="record">The epochs' times.</param>
    /// <param name="test">The figures on the test images.</param>
    public void WriteSummary(string dataset, string network, ulong seed, int threads, Model model, History history, RunRecord record, Evaluation test)
    {
        var summary = new JsonObject
        {
            ["dataset"] = dataset,
            ["model"] = network,
            ["parameters"] = model.TrainableParameterCount,
            ["seed"] = seed,
            ["threads"] = threads,
            ["epochs"] = history.Epochs.Count,
            ["testAccuracy"] = test.Accuracy,
            ["testLoss"] = test.Loss,
            ["macroPrecision"] = test.Precision,
            ["macroRecall"] = test.Recall,
            ["trainSeconds"] = record.TrainSeconds,
            ["imagesPerSecond"] = record.ImagesPerSecond,
            [FinishedKey] = history.Reason != StopReason.Cancelled,
        };
        Write(SummaryName, summary.ToJsonString(Indented) + "\n");
    }

    public void WriteComparison(string text) => Write(ComparisonName, text);

    /// <summary>Writes beside the target and renames, so that no half-written file is left.</summary>
    private void Write(string name, string text)
    {
        string path = PathOf(name), temporary = path + ".tmp";
        File.WriteAllText(temporary, text);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>A value of a JSON file; the default where it cannot be read.</summary>
    private T? Read<T>(string name, string key)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(PathOf(name)))?[key] is { } value ? value.GetValue<T>() : default;
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or FormatException)
        {
            return default;
        }
    }

    private string PathOf(string name) => System.IO.Path.Combine(Path, name);

    private static FileInfo? Newest(string name) => Directory.Exists(Runs)
        ? new DirectoryInfo(Runs).EnumerateDirectories().Select(run => new FileInfo(System.IO.Path.Combine(run.FullName, name)))
            .Where(file => file.Exists).MaxBy(file => file.LastWriteTimeUtc)
        : null;
}
