using MnistTrainer;
using NativeConv.Benchmarks;

namespace NativeConv.PeerBenchmarks.Models;

/// <summary>A network to measure, as a NativeConv model from which the peers' are made.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Build">Makes it, with random parameters.</param>
/// <param name="Batches">The batches that it is measured with.</param>
/// <param name="IsSmall">Whether one image is too little to be shared between threads.</param>
/// <param name="StepGoal">How many times longer a libtorch step should take at the first of them.</param>
/// <param name="InferenceGoal">How many times longer ONNX Runtime should take.</param>
internal sealed record BenchmarkedModel(string Name, Func<Model> Build, int[] Batches, bool IsSmall, double StepGoal, double InferenceGoal)
{
    private const ulong Seed = 42;

    /// <summary>What the geometric mean over the small networks should reach on one image and thread.</summary>
    public const double OneImageGoal = 1.25;

    // What smaller batches should keep of the goal.
    private const double SmallBatchPart = 0.8;

    /// <summary>The trainer's networks, and one for larger images.</summary>
    public static IEnumerable<BenchmarkedModel> All =>
    [
        Digits("keras", 9), Digits("section43", 10), Digits("separable", 8),
        new(DilatedMobileNet.Name, () => DilatedMobileNet.Build(Seed), [8], false, 3, 1.1),
    ];

    public static string Label(string name, int batch) => $"{name,-18} batch {batch,-3}";

    /// <summary>Images in the range that the model expects.</summary>
    public static Tensor Images(Model model, int batch)
    {
        ImageShape shape = model.InputShape;
        Tensor images = Values.Random(1, batch, shape.Height, shape.Width, shape.Channels);
        if (model.Nodes.Any(node => node.Layer is InputNormalization))
        {
            foreach (ref float value in images.Span)
                value = 127.5f * (value + 1);
        }

        return images;
    }

    /// <summary>What a step's ratio should reach.</summary>
    public double StepTarget(int batch) => batch >= Batches[0] ? StepGoal : SmallBatchPart * StepGoal;

    private static BenchmarkedModel Digits(string name, double stepGoal) => new(name, () => Recipes.Get(name).Build(Seed), [128, 32], true, stepGoal, 1.5);
}
