using System.Diagnostics;
using System.Globalization;
using NativeConv.Tests.Support;

namespace NativeConv.PortableProgram;

/// <summary>How long a training step and a prediction of the three golden networks take, so that builds of this program can be compared with each other.</summary>
internal static class Speed
{
    private const int Batch = 64, Warmup = 30, Repeats = 31;

    /// <summary>Writes a line a network: its name, the median milliseconds of a step and of a prediction of the same images.</summary>
    public static void Write(int threads)
    {
        Dataset digits = DrawnDigits.Create(Batch, seed: 1);
        float[] pixels = Bits.Pixels(digits, [.. Enumerable.Range(0, Batch)]);
        foreach (GoldenCase golden in GoldenCases.Networks)
        {
            Model model = new GoldenNetwork(golden).Model;
            model.Execution = new() { ThreadCount = threads };
            float[] outputs = new float[Batch * model.OutputShape.Length];
            TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-4f), Batch);
            double step = Median(() => session.Step(pixels, digits.Labels.Span)), prediction = Median(() => model.Predict(pixels, outputs));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{golden.Name} {step:F3} {prediction:F3}"));
        }
    }

    private static double Median(Action action)
    {
        for (int i = 0; i < Warmup; i++)
            action();

        var times = new double[Repeats];
        foreach (ref double time in times.AsSpan())
        {
            long begun = Stopwatch.GetTimestamp();
            action();
            time = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }

        Array.Sort(times);
        return times[Repeats / 2];
    }
}
