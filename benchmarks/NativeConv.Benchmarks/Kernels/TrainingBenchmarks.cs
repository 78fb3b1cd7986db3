using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>What a training step does besides layers, for a parameter vector of a quarter of a million: optimizers, loss, dropout. Needs a quiet machine.</summary>
public class TrainingBenchmarks
{
    private const int Rows = 512, Classes = 10, Parameters = 1 << 18;
    private readonly Adam _adam = new();
    private readonly Sgd _sgd = new(0.1f, 0.9f);
    private readonly RmsProp _rmsProp = new();
    private readonly Model _model = new ModelBuilder(1, 1, Parameters / Classes).Dropout(0.5f).Dense(Classes, useBias: false).Build(1);
    private readonly float[] _logits = Values.Random(Rows * Classes), _gradient = new float[Rows * Classes];
    private readonly int[] _labels = [.. Enumerable.Range(0, Rows).Select(i => i % Classes)];
    private readonly float[] _image = Values.Random(Parameters / Classes), _outputs = new float[Classes];

    [GlobalSetup]
    public void Setup() => Values.Random(Parameters / Classes * Classes).CopyTo(_model.Parameters[0].Gradient!.Span);

    [Benchmark]
    public void AdamStep() => _model.Step(_adam);

    [Benchmark]
    public void SgdStep() => _model.Step(_sgd);

    [Benchmark]
    public void RmsPropStep() => _model.Step(_rmsProp);

    [Benchmark]
    public float SoftmaxCrossEntropy() => Loss.SoftmaxCrossEntropy(0.1f).Evaluate(_logits, _labels, _gradient);

    [Benchmark]
    public void DropoutForward() => _model.Forward(_image, _outputs);
}
