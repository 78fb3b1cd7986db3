using BenchmarkDotNet.Attributes;
using MnistTrainer;
using NativeConv.Data;

namespace NativeConv.Benchmarks.Data;

/// <summary>Varying a digit of 28 x 28 pixels on one thread; times are for one image. Needs a quiet machine.</summary>
public class AugmentationBenchmarks
{
    private const int Images = 256;
    private readonly Dataset _digits = DrawnDigits.Create(Images, seed: 1);
    private readonly float[] _image = new float[28 * 28], _result = new float[28 * 28];
    private readonly Augmenter _affine = new(Recipes.Augmentation with { Elastic = 0 }, new(28, 28, 1)), _all = new(Recipes.Augmentation, new(28, 28, 1));

    [Benchmark(OperationsPerInvoke = Images)]
    public void ShiftTurnScaleShear() => Run(_affine);

    [Benchmark(OperationsPerInvoke = Images)]
    public void WithElastic() => Run(_all);

    private void Run(Augmenter augmenter)
    {
        for (int i = 0; i < Images; i++)
        {
            _digits.CopyImages([i], _image);
            augmenter.Apply(_image, _result, seed: 1, epoch: 0, i);
        }
    }
}
