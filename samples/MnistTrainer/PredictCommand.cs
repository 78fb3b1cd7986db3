using NativeConv;

namespace MnistTrainer;

/// <summary>Shows test images with what the model reads in them.</summary>
internal static class PredictCommand
{
    public static async Task<int> RunAsync(DataSource data, string? from, int[] indices, CancellationToken cancellationToken)
    {
        var terminal = new Terminal();
        var model = Model.Load(RunFolder.FindModel(from));
        (TrainTest images, string dataset) = await data.LoadAsync(terminal, cancellationToken);
        Dataset test = images.Test;
        float[] image = new float[test.Shape.Length], probabilities = new float[model.OutputShape.Length];
        foreach (int index in indices)
        {
            if (index >= test.Count)
                throw new ArgumentException($"There are {test.Count} test images ({dataset}), counted from 0, but image {index} was asked for.");

            test.CopyImages([index], image);
            model.PredictProbabilities(image, probabilities);
            int best = probabilities.AsSpan().IndexOf(probabilities.Max());
            terminal.Line($"Image {index} ({dataset}), labelled {test.ClassNames[test.Labels.Span[index]]}:");
            terminal.Image(Grey(image, test.Shape), test.Shape.Height, test.Shape.Width);
            terminal.Line($"Read as {model.ClassNames[best]}.");
            terminal.Probabilities(probabilities, model.ClassNames);
        }

        return ExitCode.Success;
    }

    /// <summary>The mean of each pixel's channels.</summary>
    private static float[] Grey(float[] image, ImageShape shape) =>
        [.. Enumerable.Range(0, shape.Pixels).Select(pixel => image.AsSpan(pixel * shape.Channels, shape.Channels).ToArray().Average())];
}
