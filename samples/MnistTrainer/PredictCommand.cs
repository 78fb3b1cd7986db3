using System.Text.Json;
using System.Text.Json.Nodes;
using NativeConv;

namespace MnistTrainer;

/// <summary>Shows pictures or test images with what the model reads in them.</summary>
internal static class PredictCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static async Task<int> RunAsync(DataSource data, string? from, string[] pictures, bool plain, bool json, CancellationToken cancellationToken)
    {
        var terminal = new Terminal(isAside: json);
        var model = Model.Load(RunFolder.FindModel(from));
        IReadOnlyList<string> names = model.ClassNames is { Count: > 0 } given ? given : [.. Enumerable.Range(0, model.OutputShape.Length).Select(i => $"{i}")];
        TrainTest? images = null;
        string dataset = "";
        if (pictures.Any(picture => IsNumber(picture, out _)))
            (images, dataset) = await data.LoadAsync(terminal, cancellationToken);

        var rows = new JsonArray();
        foreach (string picture in pictures)
        {
            string? label = null;
            float[] image;
            if (IsNumber(picture, out int index))
            {
                image = TestImage(images!.Test, index, dataset);
                label = images.Test.ClassNames[images.Test.Labels.Span[index]];
            }
            else
            {
                image = PictureInput.From(model, ImageFile.Read(picture), plain);
            }

            float[] probabilities = new float[model.OutputShape.Length];
            model.PredictProbabilities(image, probabilities);
            string read = names[probabilities.AsSpan().IndexOf(probabilities.Max())];
            if (json)
            {
                rows.Add(Row(label == null ? picture : null, label == null ? null : index, label, read, probabilities, names));
                continue;
            }

            terminal.Line(label == null ? $"{picture}:" : $"Image {index} ({dataset}), labelled {label}:");
            terminal.Image(Grey(image, model.InputShape), model.InputShape.Height, model.InputShape.Width);
            terminal.Line($"Read as {read}.");
            terminal.Probabilities(probabilities, names);
        }

        if (json)
            Console.WriteLine(rows.ToJsonString(Indented));

        return ExitCode.Success;
    }

    private static bool IsNumber(string picture, out int index) => int.TryParse(picture, out index);

    private static float[] TestImage(Dataset test, int index, string dataset)
    {
        if (index >= test.Count)
            throw new ArgumentException($"There are {test.Count} test images ({dataset}), counted from 0, but image {index} was asked for.");

        float[] image = new float[test.Shape.Length];
        test.CopyImages([index], image);
        return image;
    }

    private static JsonObject Row(string? file, int? image, string? label, string read, float[] probabilities, IReadOnlyList<string> names)
    {
        JsonObject row = file != null ? new() { ["file"] = file } : new() { ["image"] = image, ["label"] = label };
        var byClass = new JsonObject();
        for (int c = 0; c < probabilities.Length; c++)
            byClass[names[c]] = probabilities[c];

        row["class"] = read;
        row["probabilities"] = byClass;
        return row;
    }

    /// <summary>The mean of each pixel's channels.</summary>
    private static float[] Grey(float[] image, ImageShape shape) =>
        [.. Enumerable.Range(0, shape.Pixels).Select(pixel => image.AsSpan(pixel * shape.Channels, shape.Channels).ToArray().Average())];
}
