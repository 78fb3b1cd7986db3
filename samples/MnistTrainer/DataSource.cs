using NativeConv;

namespace MnistTrainer;

/// <summary>Where the images come from.</summary>
/// <param name="Dataset">One of <see cref="Names"/>.</param>
/// <param name="Folder">The folder with the data set's files that the user named, if any.</param>
/// <param name="Images">The folder of the user's own images, which takes the place of a data set; null for none.</param>
/// <param name="Classes">The classes that are used, labelled anew from 0; null for all.</param>
internal sealed record DataSource(string Dataset, string? Folder, ImageFolder? Images, ClassRange? Classes)
{
    public const string Mnist = "mnist", Synthetic = "synthetic";

    private const int DrawnForTraining = 60_000, DrawnForTests = 10_000;
    private const ulong DrawnTrainingSeed = 1, DrawnTestSeed = 2;

    /// <summary>Every data set by name, the drawn digits last.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. NamedDataset.Names, Synthetic];

    /// <summary>Loads the images, and names the data set that they are in the end.</summary>
    public async Task<(TrainTest Images, string Name)> LoadAsync(Terminal terminal, CancellationToken cancellationToken)
    {
        (TrainTest images, string name) = await LoadAllAsync(terminal, cancellationToken);
        return (Classes == null ? images : new(Classes.Of(images.Train), Classes.Of(images.Test)), name);
    }

    /// <summary>What a network must know of a data set; mean and deviation are MNIST's for digits, else the training images' own.</summary>
    public static ImageKind KindOf(NativeConv.Dataset train, string name)
    {
        if (name is Mnist or Synthetic)
            return ImageKind.Mnist with { Shape = train.Shape, ClassNames = train.ClassNames };

        (double mean, double deviation) = train.MeanAndDeviation();
        return new(train.Shape, train.ClassNames, (float)(mean / 255), deviation > 0 ? (float)(deviation / 255) : 1);
    }

    private async Task<(TrainTest Images, string Name)> LoadAllAsync(Terminal terminal, CancellationToken cancellationToken)
    {
        if (Images != null)
            return (Images.Load(), Images.Path);

        if (Dataset == Synthetic)
            return (Draw(), Synthetic);

        var named = new NamedDataset(Dataset);
        if (Folder != null)
            return (named.Load(Folder), Dataset);

        try
        {
            return (await named.LoadAsync(terminal.Downloads(), cancellationToken), Dataset);
        }
        catch (HttpRequestException e) when (Dataset == Mnist)
        {
            terminal.Line($"MNIST is neither here nor to be had: {e.Message}");
            terminal.Line("Training goes on with SYNTHETIC digits, drawn by code. Figures are about those, not about MNIST.");
            return (Draw(), Synthetic);
        }
    }

    private static TrainTest Draw() => new(DrawnDigits.Create(DrawnForTraining, DrawnTrainingSeed), DrawnDigits.Create(DrawnForTests, DrawnTestSeed));
}
