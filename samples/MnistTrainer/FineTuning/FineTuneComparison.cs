using System.Globalization;
using System.Text;
using NativeConv;

namespace MnistTrainer;

/// <summary>Fine-tunes with several seeds and numbers of images, and trains the same network from scratch beside it where asked for. Each seed draws its own images.</summary>
internal sealed class FineTuneComparison(FineTuneOptions options, FineTuning tuning, Terminal terminal, RunFolder run)
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    private readonly StringBuilder _rows = new("images_per_class,start,seed,epochs,test_accuracy,test_loss\n");

    public void Run(CancellationToken cancellationToken)
    {
        terminal.Line($"{tuning.Dataset}: {tuning.Images.Test.Count} test images. {options.Seeds} seeds from {options.Seed} on, each with images of its own. Output: {run.Path}");
        var table = new List<string[]>();
        if (tuning.KeepsHead)
            table.Add(["0", "as it is", Percent(Add(0, "as_it_is", null, 0, tuning.Start(options.Seed).Evaluate(tuning.Images.Test, cancellationToken: cancellationToken))), "", ""]);

        foreach (int? perClass in options.PerClass.Count > 0 ? options.PerClass.Select(count => (int?)count) : [null])
        {
            table.Add(Row(perClass, fromScratch: false, cancellationToken));
            if (options.AgainstScratch)
                table.Add(Row(perClass, fromScratch: true, cancellationToken));
        }

        terminal.Table(["images a class", "start", "test accuracy", "spread", "epochs"], table);
        terminal.Line($"Accuracy is the mean over the seeds, spread the standard deviation; every training is in {run.ComparisonFile}.");
    }

    private string[] Row(int? perClass, bool fromScratch, CancellationToken cancellationToken)
    {
        double[] accuracies = new double[options.Seeds];
        int epochs = 0;
        string start = fromScratch ? "scratch" : "fine-tuned";
        for (int i = 0; i < accuracies.Length; i++)
        {
            ulong seed = options.Seed + (ulong)i;
            Dataset train = tuning.Sample(perClass, seed);
            Model model = fromScratch ? tuning.Scratch(seed) : tuning.Start(seed);
            epochs = tuning.Epochs(train.Count);
            model.Fit(train, null, tuning.Fit(train, fromScratch, seed, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            accuracies[i] = Add(perClass, fromScratch ? "scratch" : "fine_tuned", seed, epochs, model.Evaluate(tuning.Images.Test, cancellationToken: cancellationToken));
            terminal.Line($"{Number(perClass)} images a class, {start}, seed {seed}: {Percent(accuracies[i])}");
        }

        double mean = accuracies.Average();
        double deviation = accuracies.Length < 2 ? 0 : Math.Sqrt(accuracies.Sum(accuracy => (accuracy - mean) * (accuracy - mean)) / (accuracies.Length - 1));
        return [Number(perClass), start, Percent(mean), accuracies.Length < 2 ? "" : Percent(deviation), epochs.ToString(Culture)];
    }

    /// <summary>Writes a training down at once, so that an interruption loses none.</summary>
    private double Add(int? perClass, string start, ulong? seed, int epochs, Evaluation test)
    {
        _rows.Append(Culture, $"{Number(perClass)},{start},{seed},{epochs},{test.Accuracy:R},{test.Loss:R}\n");
        run.WriteComparison(_rows.ToString());
        return test.Accuracy;
    }

    private static string Number(int? perClass) => perClass?.ToString(Culture) ?? "all";

    private static string Percent(double value) => value.ToString("P2", Culture);
}
