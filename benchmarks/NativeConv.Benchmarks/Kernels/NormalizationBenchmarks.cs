using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Batch normalization of 32 images of 28 x 28 x 64 on one thread. Needs a quiet machine.</summary>
public class NormalizationBenchmarks
{
    private const int Channels = 64, Length = 32 * 28 * 28 * Channels;
    private readonly ExecutionOptions _execution = new();
    private readonly float[] _x = Values.Random(Length), _dy = Values.Random(Length), _y = new float[Length];
    private readonly float[] _gamma = Values.Random(Channels), _beta = Values.Random(Channels), _mean = new float[Channels], _variance = Values.Random(Channels);

    [Benchmark]
    public void Forward() => Normalization.Forward(Channels, _x, _gamma, _beta, 1e-5f, _y, _mean, _variance, _execution);

    [Benchmark]
    public void Inference() => Normalization.Inference(Channels, _x, _gamma, _beta, _mean, _variance, 1e-5f, _y, _execution);

    [Benchmark]
    public void Backward() => Normalization.Backward(Channels, _x, _dy, _gamma, _mean, _variance, 1e-5f, _y, new float[Channels], new float[Channels], _execution);
}
