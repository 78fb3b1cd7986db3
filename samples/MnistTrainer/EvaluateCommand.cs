using NativeConv;

namespace MnistTrainer;

/// <summary>Measures a saved model on the test images.</summary>
internal static class EvaluateCommand
{
    public static async Task<int> RunAsync(DataSource data, string? from, int threads, CancellationToken cancellationToken)
    {
        var terminal = new Terminal();
        string file = RunFolder.FindModel(from);
        var model = Model.Load(file);
        model.Execution = new() { ThreadCount = threads };
        (TrainTest images, string dataset) = await data.LoadAsync(terminal, cancellationToken);
        terminal.Evaluation($"{file} on {images.Test.Count} test images ({dataset}):", model.Evaluate(images.Test, cancellationToken: cancellationToken));
        return ExitCode.Success;
    }
}
