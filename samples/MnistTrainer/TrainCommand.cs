using NativeConv;

namespace MnistTrainer;

/// <summary>Trains, evaluates, saves and reports.</summary>
internal static class TrainCommand
{
    /// <summary>Epochs without progress on held-out images after which a training stops.</summary>
    private const int Patience = 3;

    public static async Task<int> RunAsync(TrainOptions options, CancellationToken cancellationToken)
    {
        var terminal = new Terminal();
        (TrainTest images, string dataset) = await options.Data.LoadAsync(terminal, cancellationToken);
        (Dataset train, Dataset? validation) = Split(images.Train, options);
        Recipe recipe = Networks.Get(options.Network);
        Model model = recipe.Make(DataSource.KindOf(train, dataset), options.Seed);
        model.Execution = new() { ThreadCount = options.Threads };
        var run = new RunFolder(options.Output);
        terminal.Line($"{dataset}: {train.Count} training images, {images.Test.Count} test images. {options.Network}: {model.TrainableParameterCount} parameters.");
        terminal.Line($"{options.Epochs} epochs, batch size {options.BatchSize}, seed {options.Seed}, {options.Threads} threads, {model.Execution.Level}. Output: {run.Path}");

        List<ITrainingCallback> callbacks = [new EpochRows(terminal, options.Epochs)];
        if (validation != null)
            callbacks.Add(new EarlyStopping(Patience, restoreBestWeights: true));

        History history = terminal.Train(progress => model.Fit(train, validation, new()
        {
            Epochs = options.Epochs,
            BatchSize = options.BatchSize,
            Optimizer = new Adam(options.LearningRate ?? recipe.LearningRate),
            Schedule = recipe.Schedule,
            Augmentation = options.Augment ? Networks.Augmentation : null,
            Seed = options.Seed,
            Callbacks = callbacks,
            Progress = progress,
            CancellationToken = cancellationToken,
        }));
        if (history.Reason != StopReason.Finished)
            terminal.Line($"Stopped after {history.Epochs.Count} epochs ({history.Reason}); the model so far is saved.");

        model.Save(run.ModelFile);
        Evaluation test = model.Evaluate(images.Test);
        run.WriteHistory(history);
        run.WriteSummary(options, dataset, model, history, test);
        terminal.Evaluation($"Test images ({dataset}):", test);
        terminal.Line($"Trained in {history.TrainSeconds:F1} s; model, history and summary are in {run.Path}.");
        return ExitCode.Success;
    }

    private static (Dataset Train, Dataset? Validation) Split(Dataset train, TrainOptions options)
    {
        if (options.Validation >= train.Count)
            throw new ArgumentException($"--validation must leave some of the {train.Count} training images, but is {options.Validation}.");

        (Dataset rest, Dataset held) = train.SplitLast(options.Validation);
        return (options.Limit is { } limit ? rest.Take(limit) : rest, options.Validation > 0 ? held : null);
    }

    private sealed class EpochRows(Terminal terminal, int epochs) : ITrainingCallback
    {
        public bool OnEpochEnd(TrainingContext training, EpochResult epoch)
        {
            terminal.Epoch(epoch, epochs);
            return true;
        }
    }
}
