using System.Globalization;
using NativeConv;

namespace MnistTrainer;

/// <summary>Trains a saved model on other images: to keep it, or to compare figures.</summary>
internal static class FineTuneCommand
{
    public static async Task<int> RunAsync(FineTuneOptions options, CancellationToken cancellationToken)
    {
        var terminal = new Terminal();
        string file = RunFolder.FindModel(options.From);
        if (options.Output is { } output && Path.GetFullPath(file).StartsWith(Path.GetFullPath(output) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new ArgumentException($"--output must be another folder than the one of the model to start from, '{file}'.");

        RunFolder? run = options.Resume ? RunFolder.FindInterrupted(options.Output) : null;
        TrainingState? state = run == null ? null : TrainingState.Load(run.CheckpointFile);
        FineTuning tuning = await FineTuning.LoadAsync(options with { From = file }, terminal, cancellationToken);
        if (options.IsComparison)
            new FineTuneComparison(options, tuning, terminal, RunFolder.Create(options.Output)).Run(cancellationToken);
        else
            Train(options, tuning, terminal, run, state, cancellationToken);

        return ExitCode.Success;
    }

    private static void Train(FineTuneOptions options, FineTuning tuning, Terminal terminal, RunFolder? run, TrainingState? state, CancellationToken cancellationToken)
    {
        Dataset train = tuning.Sample(options.PerClass.Count > 0 ? options.PerClass[0] : null, options.Seed);
        Model model = tuning.Start(options.Seed);
        int epochs = tuning.Epochs(train.Count);
        long all = model.Parameters.Sum(parameter => (long)parameter.Value.Length);
        terminal.Line($"{tuning.Dataset}: {train.Count} training images, {tuning.Images.Test.Count} test images. {tuning.File}: {model.TrainableParameterCount} of {all} parameters are trained.");
        terminal.Line(tuning.KeepsHead ? "The head is kept: its classes are those of the images." : $"The head is new, for {model.OutputShape.Length} classes.");
        if (model.FrozenLayers.Count > 0)
            terminal.Line($"Frozen: {string.Join(", ", model.FrozenLayers)}.");

        if (tuning.KeepsHead)
            terminal.Line(string.Create(CultureInfo.InvariantCulture, $"Accuracy on test images before: {model.Evaluate(tuning.Images.Test, cancellationToken: cancellationToken).Accuracy:P2}"));

        run ??= RunFolder.Create(options.Output);
        terminal.Line($"{epochs} epochs, batch size {options.BatchSize}, seed {options.Seed}, {options.Threads} threads, {model.Execution.Level}. Output: {run.Path}");
        if (state != null)
            terminal.Line($"Going on after step {state.Step}, {state.Epochs.Count} epochs done.");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var record = new RunRecord(run, options.Data.Images?.Path ?? options.Data.Folder);
        List<ITrainingCallback> callbacks = [new EpochRows(terminal, epochs), record, new CsvLog(run.HistoryFile)];
        if (options.StopAfterSteps is { } steps)
            callbacks.Add(new StopAfter(steps, stop));

        callbacks.Add(new Checkpoint(run.CheckpointFile, options.CheckpointEvery));
        History history = terminal.Train(progress => model.Fit(
            train, null, tuning.Fit(train, fromScratch: false, options.Seed, stop.Token, callbacks, state, progress)));
        if (history.Reason == StopReason.Cancelled)
            terminal.Line($"Stopped after step {history.Steps}; the model so far is saved, and the same command with --resume --output {run.Path} goes on.");

        model.Save(run.ModelFile);
        Evaluation test = model.Evaluate(tuning.Images.Test);
        run.WriteSummary(tuning.Dataset, tuning.File, options.Seed, options.Threads, model, history, record, test);
        terminal.Evaluation($"Test images ({tuning.Dataset}):", test);
        terminal.Line($"Trained in {record.TrainSeconds:F1} s; model, history and summary are in {run.Path}.");
    }
}
