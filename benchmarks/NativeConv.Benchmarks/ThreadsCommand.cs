using System.CommandLine;
using System.Globalization;
using MnistTrainer;

namespace NativeConv.Benchmarks;

/// <summary>
/// What threads gain on a training step: measured up to the cores there are, calculated beyond. The calculation is Amdahl's law with the serial part that the measured speed-up of
/// the most threads implies, and with whole chunks: a thread that has one chunk more keeps the others waiting. Memory's limit, where two threads already feel it, is part of
/// that serial part.
/// </summary>
internal static class ThreadsCommand
{
    private static readonly int[] Counts = [1, 2, 4, 8, 16, 32];

    public static RootCommand Build()
    {
        var batch = new Option<int>("--batch-size") { DefaultValueFactory = _ => 128 };
        var network = new Option<string[]>("--model") { DefaultValueFactory = _ => ["keras", "section43", "separable"] };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Turns that each thread count gets; the fastest step counts." };
        var command = new RootCommand("Measures what threads gain on a step, and calculates what more would.") { batch, network, rounds };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(network), parsed.GetValue(batch), parsed.GetValue(rounds)));
        return command;
    }

    private static int Run(string[] networks, int batchSize, int rounds)
    {
        int[] measured = [.. Counts.Where(count => count <= Environment.ProcessorCount)];
        Console.WriteLine($"Speed-up over one thread, batch {batchSize}; measured up to {measured[^1]} threads on {Environment.ProcessorCount} logical cores, calculated (~) beyond.");
        Console.WriteLine($"{"network",-12} chunks stages   1 thread ms  {string.Concat(Counts.Select(count => $"{count,8}"))}  serial part");
        foreach (string name in networks)
        {
            double[] least = Measure(name, batchSize, measured, rounds, out ExecutionPlan plan);
            int most = measured[^1];
            double speedUp = least[0] / least[^1];
            // s + (1 - s) q(n) = 1 / speed-up, where q is the largest share of the chunks.
            double serial = most == 1 ? 0 : Math.Max(0, ((1 / speedUp) - LargestShare(plan.ChunkCount, most)) / (1 - LargestShare(plan.ChunkCount, most)));
            string cells = string.Concat(Counts.Select((count, i) => i < measured.Length
                ? string.Create(CultureInfo.InvariantCulture, $"{least[0] / least[i],8:F2}")
                : string.Create(CultureInfo.InvariantCulture, $"{"~",3}{1 / (serial + ((1 - serial) * LargestShare(plan.ChunkCount, count))),5:F1}")));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{name,-12} {plan.ChunkCount,6} {plan.StageCount,6} {least[0],13:F2}  {cells}  {(most == 1 ? "unknown" : serial.ToString("P1", CultureInfo.InvariantCulture))}"));
        }

        return 0;
    }

    private static double LargestShare(int chunks, int threads) => (double)((chunks + threads - 1) / threads) / chunks;

    /// <summary>The least milliseconds of a step for each thread count; they take turns, so that a busy machine is busy for all.</summary>
    private static double[] Measure(string name, int batchSize, int[] counts, int rounds, out ExecutionPlan plan)
    {
        Model model = Recipes.Get(name).Build(42);
        plan = model.Plan(Loss.SoftmaxCrossEntropy(), batchSize);
        float[] images = new float[batchSize * model.InputShape.Length];
        int[] labels = new int[batchSize];
        Values.FillImages(images, labels);
        TrainingSession[] sessions = [.. counts.Select(count => Begin(model.Clone(), count))];
        double[] least = [.. counts.Select(_ => double.PositiveInfinity)];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < sessions.Length; i++)
                least[i] = Math.Min(least[i], StepCommand.Measure(repeats: 15, () => sessions[i].Step(images, labels)).Least);
        }

        return least;

        TrainingSession Begin(Model copy, int threads)
        {
            copy.Execution = new() { ThreadCount = threads };
            return copy.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-4f), batchSize);
        }
    }
}
