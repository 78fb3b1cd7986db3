using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NativeConv;

namespace MnistTrainer;

/// <summary>The folder of one training: the model, its history and its summary.</summary>
internal sealed class RunFolder
{
    private const string Runs = "runs", ModelName = "model.safetensors";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public RunFolder(string? folder)
    {
        Path = folder ?? System.IO.Path.Combine(Runs, DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string ModelFile => System.IO.Path.Combine(Path, ModelName);

    /// <summary>The model that the user named, or the newest run's.</summary>
    public static string FindModel(string? named)
    {
        if (named != null)
            return File.Exists(named) ? named : throw new FileNotFoundException($"There is no model file '{named}'.");

        FileInfo? newest = Directory.Exists(Runs)
            ? new DirectoryInfo(Runs).EnumerateDirectories().Select(run => new FileInfo(System.IO.Path.Combine(run.FullName, ModelName)))
                .Where(file => file.Exists).MaxBy(file => file.LastWriteTimeUtc)
            : null;
        return newest?.FullName ?? throw new FileNotFoundException($"There is no model in '{Runs}' yet: train one, or name one with --from.");
    }

    public void WriteHistory(History history)
    {
        var text = new StringBuilder("epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate,train_seconds,images_per_second\n");
        foreach (EpochResult e in history.Epochs)
        {
            text.Append(CultureInfo.InvariantCulture, $"{e.Epoch},{e.Loss:R},{e.Accuracy:R},{e.Validation?.Loss:R},{e.Validation?.Accuracy:R},")
                .Append(CultureInfo.InvariantCulture, $"{e.LearningRate:R},{e.TrainSeconds:F3},{e.ImagesPerSecond:F1}\n");
        }

        Write("history.csv", text.ToString());
    }

    public void WriteSummary(TrainOptions options, string dataset, Model model, History history, Evaluation test)
    {
        double seconds = history.TrainSeconds;
        var summary = new JsonObject
        {
            ["dataset"] = dataset,
            ["model"] = options.Network,
            ["parameters"] = model.TrainableParameterCount,
            ["seed"] = options.Seed,
            ["threads"] = options.Threads,
            ["epochs"] = history.Epochs.Count,
            ["testAccuracy"] = test.Accuracy,
            ["testLoss"] = test.Loss,
            ["macroPrecision"] = test.Precision,
            ["macroRecall"] = test.Recall,
            ["trainSeconds"] = seconds,
            ["imagesPerSecond"] = history.Epochs.Count == 0 ? 0 : history.Epochs.Average(epoch => epoch.ImagesPerSecond),
        };
        Write("summary.json", summary.ToJsonString(Indented) + "\n");
    }

    /// <summary>Writes beside the target and renames, so that no half-written file is left.</summary>
    private void Write(string name, string text)
    {
        string path = System.IO.Path.Combine(Path, name), temporary = path + ".tmp";
        File.WriteAllText(temporary, text);
        File.Move(temporary, path, overwrite: true);
    }
}
