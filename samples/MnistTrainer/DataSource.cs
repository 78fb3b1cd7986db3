using NativeConv;

namespace MnistTrainer;

/// <summary>Where the images come from.</summary>
/// <param name="Dataset"><see cref="Mnist"/> or <see cref="Synthetic"/>.</param>
/// <param name="Folder">The folder that the user named, if any.</param>
internal sealed record DataSource(string Dataset, string? Folder)
{
    public const string Mnist = "mnist", Synthetic = "synthetic";

    private const int DrawnForTraining = 60_000, DrawnForTests = 10_000;
    private const ulong DrawnTrainingSeed = 1, DrawnTestSeed = 2;

    /// <summary>Loads the images, and names the data set that they are in the end.</summary>
    public async Task<(TrainTest Images, string Name)> LoadAsync(Terminal terminal, CancellationToken cancellationToken)
    {
        if (Dataset == Synthetic)
            return (Draw(), Synthetic);

        if (Folder != null)
            return (NativeConv.Mnist.Load(Folder), Mnist);

        try
        {
            return (await new Mnist().LoadAsync(terminal.Downloads(), cancellationToken), Mnist);
        }
        catch (HttpRequestException e)
        {
            terminal.Line($"MNIST is neither here nor to be had: {e.Message}");
            terminal.Line("Training goes on with SYNTHETIC digits, drawn by code. Figures are about those, not about MNIST.");
            return (Draw(), Synthetic);
        }
    }

    private static TrainTest Draw() => new(DrawnDigits.Create(DrawnForTraining, DrawnTrainingSeed), DrawnDigits.Create(DrawnForTests, DrawnTestSeed));
}
