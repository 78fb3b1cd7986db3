using NativeConv;

namespace MnistTrainer;

/// <summary>Trains, evaluates, saves and reports; or goes on with a run that was interrupted.</summary>
internal static class TrainCommand
{
    /// <summary>Epochs without progress on held-out images after which a training stops.</summary>
    private const int Patience = 3;

    public static async Task<int> RunAsync(TrainOptions options, CancellationToken cancellationToken)
    {
        var terminal = new Terminal();
        RunFolder? run = null;
        TrainingState? state = null;
        if (options.Resume)
        {
            run = RunFolder.FindInterrupted(options.Output);
            state = TrainingState.Load(run.CheckpointFile);
            options = options.Continue(state.Properties, run);
            if (run.IsFinished && (state.Reason == StopReason.Callback || options.Recipe.Epochs <= state.Epochs.Count))
            {
                terminal.Line($"The run in {run.Path} is finished; nothing is changed.");
                return ExitCode.Success;
            }
        }

        (TrainTest images, string dataset) = await options.Data.LoadAsync(terminal, cancellationToken);
        (Dataset train, Dataset? validation) = Split(images.Train, options);
        ImageKind kind = DataSource.KindOf(train, dataset);
        if (run == null)
        {
            run = RunFolder.Create(options.Output);
            if (options.Search)
                options = options with { Recipe = SettingsSearch.Run(terminal, options, kind, train, validation, run, cancellationToken) };
        }

        Recipe recipe = options.Recipe;
        Model model = recipe.Make(kind, options.Seed);
        model.Execution = new() { ThreadCount = options.Threads };
        terminal.Line($"{dataset}: {train.Count} training images, {images.Test.Count} test images. {recipe.Name}: {model.TrainableParameterCount} parameters.");
        terminal.Line(
            $"{recipe.Epochs} epochs, batch size {recipe.BatchSize}, learning rate {recipe.LearningRate}, width {recipe.Width}, seed {options.Seed}, {options.Threads} threads, "
            + $"{model.Execution.Level}. Output: {run.Path}");
        if (state != null)
            terminal.Line($"Going on after step {state.Step}, {state.Epochs.Count} epochs done.");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var record = new RunRecord(run, options.Data.Images?.Path ?? options.Data.Folder);
        List<ITrainingCallback> callbacks = [new EpochRows(terminal, recipe.Epochs), record, new CsvLog(run.HistoryFile)];
        if (validation != null)
            callbacks.Add(new EarlyStopping(Patience, restoreBestWeights: true));

        if (options.TensorBoard)
            callbacks.Add(new TensorBoardLog(run.Path));

        if (options.StopAfterSteps is { } steps)
            callbacks.Add(new StopAfter(steps, stop));

        callbacks.Add(new Checkpoint(run.CheckpointFile, options.CheckpointEvery, validation == null ? null : run.BestModelFile)
        {
            Properties = options.ToProperties(dataset),
        });

        History history = terminal.Train(progress => model.Fit(train, validation, recipe.ToFitOptions(options.Seed, callbacks, state, progress, stop.Token)));
        if (history.Reason == StopReason.Callback)
            terminal.Line($"Stopped after {history.Epochs.Count} epochs: the held-out images got no better.");
        else if (history.Reason == StopReason.Cancelled)
            terminal.Line($"Stopped after step {history.Steps}; the model so far is saved, and 'train --resume --output {run.Path}' goes on.");

        model.Save(run.ModelFile);
        Evaluation test = model.Evaluate(images.Test);
        run.WriteSummary(dataset, options.Recipe.Name, options.Seed, options.Threads, model, history, record, test);
        terminal.Evaluation($"Test images ({dataset}):", test);
        terminal.Line($"Trained in {record.TrainSeconds:F1} s; model, history and summary are in {run.Path}.");
        return ExitCode.Success;
    }

    private static (Dataset Train, Dataset? Validation) Split(Dataset train, TrainOptions options)
    {
        if (options.Validation >= train.Count)
            throw new ArgumentException($"--validation must leave some of the {train.Count} training images, but is {options.Validation}.");

        (Dataset rest, Dataset held) = train.SplitLast(options.Validation);
        return (options.Limit is { } limit ? rest.Take(limit) : rest, options.Validation > 0 ? held : null);
    }
}
