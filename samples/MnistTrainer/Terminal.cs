using System.Globalization;
using NativeConv;
using Spectre.Console;

namespace MnistTrainer;

/// <summary>What the user sees: a live bar and tables in a terminal, plain lines elsewhere.</summary>
/// <param name="isAside">Whether lines go to standard error, since standard output is for a program.</param>
internal sealed class Terminal(bool isAside = false)
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public bool IsLive { get; } = !isAside && !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive;

    public void Line(string text)
    {
        // Spectre moves a live bar out of the way, and elsewhere would break lines at 80 columns.
        if (IsLive)
            AnsiConsole.WriteLine(text);
        else
            (isAside ? Console.Error : Console.Out).WriteLine(text);
    }

    /// <summary>Reports each file once it starts to come.</summary>
    public IProgress<DownloadProgress> Downloads() => new Reports<DownloadProgress>(progress =>
    {
        if (progress.Bytes == progress.Total)
            Line($"Downloaded {progress.File}, {progress.Bytes / 1e6:F1} MB.");
    });

    /// <summary>Runs a training under a progress bar, or with nothing but its epochs' rows.</summary>
    public History Train(Func<IProgress<TrainingProgress>?, History> fit)
    {
        if (!IsLive)
            return fit(null);

        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .AutoClear(true)
            .Start(context =>
            {
                ProgressTask task = context.AddTask("training");
                return fit(new Reports<TrainingProgress>(p =>
                {
                    task.MaxValue = p.ImagesInEpoch;
                    task.Value = p.Images;
                    task.Description = string.Create(
                        Culture,
                        $"epoch {p.Epoch}/{p.Epochs}  loss {p.Loss:F4}  accuracy {p.Accuracy:P2}  {p.ImagesPerSecond:N0} images/s  {p.Remaining:hh\\:mm\\:ss} left");
                }));
            });
    }

    public void Epoch(EpochResult epoch, int epochs)
    {
        string validation = epoch.Validation is { } v ? string.Create(Culture, $"  validation loss {v.Loss:F4} accuracy {v.Accuracy:P2}") : "";
        Line(string.Create(
            Culture,
            $"epoch {epoch.Epoch,2}/{epochs}  loss {epoch.Loss:F4}  accuracy {epoch.Accuracy:P2}{validation}  {epoch.ImagesPerSecond:N0} images/s  {epoch.TrainSeconds:F1} s"));
    }

    /// <summary>A table of figures.</summary>
    public void Table(string title, string[] columns, IEnumerable<string[]> rows)
    {
        Line(title);
        var table = new Table { Border = Border };
        foreach (string column in columns)
            table.AddColumn(new TableColumn(Markup.Escape(column)).RightAligned());

        foreach (string[] row in rows)
            table.AddRow([.. row.Select(cell => Markup.Escape(cell))]);

        AnsiConsole.Write(table);
    }

    /// <summary>Figures by class and the confusion matrix.</summary>
    public void Evaluation(string title, Evaluation evaluation)
    {
        Line(title);
        Line(evaluation.ToString());
        Line("");
        var figures = new Table { Border = Border };
        figures.AddColumns("class", "images", "precision", "recall", "F1");
        for (int c = 0; c < evaluation.Classes.Count; c++)
        {
            ClassFigures of = evaluation.Classes[c];
            figures.AddRow(
                Markup.Escape(evaluation.ClassNames[c]), of.Count.ToString(Culture), of.Precision.ToString("P2", Culture), of.Recall.ToString("P2", Culture),
                of.F1.ToString("P2", Culture));
        }

        AnsiConsole.Write(figures);
        Line("Confusion: rows are what was drawn, columns what was read.");
        var matrix = new Table { Border = Border };
        matrix.AddColumn("");
        foreach (string name in evaluation.ClassNames)
            matrix.AddColumn(new TableColumn(Markup.Escape(name)).RightAligned());

        for (int actual = 0; actual < evaluation.ClassNames.Count; actual++)
        {
            string[] row = [.. Enumerable.Range(0, evaluation.ClassNames.Count).Select(predicted => evaluation.Confusion(actual, predicted).ToString(Culture))];
            matrix.AddRow([Markup.Escape(evaluation.ClassNames[actual]), .. row]);
        }

        AnsiConsole.Write(matrix);
    }

    /// <summary>Words in columns.</summary>
    public void Table(string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table { Border = Border };
        table.AddColumns(columns);
        foreach (string[] row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);

        AnsiConsole.Write(table);
    }

    /// <summary>A grey image, two rows a line in colour or one in plain characters.</summary>
    public void Image(ReadOnlySpan<float> pixels, int height, int width)
    {
        if (IsLive)
        {
            var canvas = new Canvas(width, height) { Scale = false };
            for (int row = 0; row < height; row++)
            {
                for (int column = 0; column < width; column++)
                {
                    byte grey = (byte)pixels[(row * width) + column];
                    canvas.SetPixel(column, row, new Color(grey, grey, grey));
                }
            }

            AnsiConsole.Write(canvas);
            return;
        }

        const string Shades = " .:-=+*#%@";
        for (int row = 0; row < height; row++)
        {
            char[] line = new char[width];
            for (int column = 0; column < width; column++)
                line[column] = Shades[(int)(pixels[(row * width) + column] / 256 * Shades.Length)];

            Line(new string(line).TrimEnd());
        }
    }

    /// <summary>Each class's probability as a bar.</summary>
    public void Probabilities(ReadOnlySpan<float> probabilities, IReadOnlyList<string> names)
    {
        for (int c = 0; c < probabilities.Length; c++)
            Line(string.Create(Culture, $"  {names[c]}  {probabilities[c],8:P2}  {new string('#', (int)(probabilities[c] * 40))}"));
    }

    private TableBorder Border => IsLive ? TableBorder.Rounded : TableBorder.None;

    /// <summary>Reports on the caller's thread, so that nothing comes late.</summary>
    private sealed class Reports<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
