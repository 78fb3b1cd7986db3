using System.Runtime.InteropServices;
using NativeConv.Tests.Support;

namespace NativeConv.PortableProgram;

/// <summary>Trains the three golden networks for twenty steps on drawn digits, saves them, loads them and asks them; scripts compare the files that this leaves.</summary>
internal static class Bits
{
    private const int Steps = 20, Images = 64, Batch = 16;

    /// <summary>Writes <c>NETWORK.safetensors</c> and, as the loaded model answers, <c>NETWORK.outputs</c>.</summary>
    public static void Write(string folder, int threads)
    {
        Directory.CreateDirectory(folder);
        Dataset digits = DrawnDigits.Create(Images, seed: 1);
        foreach (GoldenCase golden in GoldenCases.Networks)
        {
            Model model = new GoldenNetwork(golden).Model;
            model.Execution = new() { ThreadCount = threads };
            Train(model, digits);
            string path = Path.Combine(folder, golden.Name);
            model.Save(path + ".safetensors");
            var loaded = Model.Load(path + ".safetensors");
            loaded.Execution = model.Execution;
            float[] outputs = new float[Images * loaded.OutputShape.Length];
            loaded.Predict(Pixels(digits, [.. Enumerable.Range(0, Images)]), outputs);
            File.WriteAllBytes(path + ".outputs", MemoryMarshal.AsBytes<float>(outputs));
        }
    }

    private static void Train(Model model, Dataset digits)
    {
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(0.1f), new AdamW(1e-3f), Batch, seed: 4, GradientClipping.ByNorm(1));
        for (int step = 0; step < Steps; step++)
        {
            // Batches of unequal size.
            int[] indices = [.. Enumerable.Range(0, Batch - (step % 3)).Select(i => ((step * Batch) + i) % Images)];
            session.Step(Pixels(digits, indices), [.. indices.Select(index => digits.Labels.Span[index])]);
        }
    }

    /// <summary>Some images' pixels, from 0 to 1.</summary>
    public static float[] Pixels(Dataset digits, int[] indices)
    {
        var pixels = new float[indices.Length * digits.Shape.Length];
        digits.CopyImages(indices, pixels);
        foreach (ref float pixel in pixels.AsSpan())
            pixel /= 255;

        return pixels;
    }
}
