namespace NativeConv.PublicApi.Tests;

/// <summary>A model that reads drawn digits, in a file, and digits that it has not seen, one a class, that it reads right.</summary>
public sealed class TrainedDigits : IDisposable
{
    public TrainedDigits()
    {
        Model = new ModelBuilder(height: 28, width: 28, channels: 1)
            .Normalize(scale: 1f / 255, mean: 0.1307f, deviation: 0.3081f)
            .Conv2D(16, kernelSize: 3, stride: 2, useBias: false).BatchNormalization().ReLU()
            .SeparableConv2D(32, kernelSize: 3, dilation: 2, activation: Activation.ReLU, batchNormalization: true)
            .MaxPool2D(2).Flatten().Dense(10)
            .Build(seed: 42);
        Model.Fit(DrawnDigits.Create(2000, seed: 1), options: new FitOptions { Epochs = 3, BatchSize = 32, Optimizer = new Adam(3e-3f) });
        Model.Save(ModelFile);
        Dataset test = DrawnDigits.Create(100, seed: 3);
        Digits = [.. Enumerable.Range(0, 10).Select(digit => Enumerable.Range(0, 10).Select(i => Image(test, (10 * i) + digit)).First(image => Read(image) == digit))];
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("digits-").FullName;

    public string ModelFile => Path.Combine(Folder, "digits.safetensors");

    public Model Model { get; }

    /// <summary>One image of each class, by class.</summary>
    public IReadOnlyList<float[]> Digits { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static float[] Image(Dataset images, int index)
    {
        float[] image = new float[images.Shape.Length];
        images.CopyImages([index], image);
        return image;
    }

    private int Read(float[] image)
    {
        float[] probabilities = new float[10];
        Model.PredictProbabilities(image, probabilities);
        return probabilities.AsSpan().IndexOf(probabilities.Max());
    }
}
