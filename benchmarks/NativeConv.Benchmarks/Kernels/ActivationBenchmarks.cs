using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Activations on 65,536 values. Needs a quiet machine.</summary>
public class ActivationBenchmarks
{
    private const int Length = 1 << 16, Classes = 10;
    private readonly ExecutionOptions _execution = new() { ThreadCount = 1 };
    private readonly float[] _x = Values.Random(Length), _dy = Values.Random(Length), _y = new float[Length];

    [Params(Activation.ReLU, Activation.Sigmoid, Activation.Tanh, Activation.SiLU, Activation.Gelu)]
    public Activation Function { get; set; }

    [Benchmark]
    public void Forward() => Activations.Forward(Function, _x, _y, _execution);

    [Benchmark]
    public void Backward() => Activations.Backward(Function, _x, _dy, _y, _execution);

    [Benchmark]
    public void Softmax() => Activations.Softmax(_x.AsSpan(0, Length / Classes * Classes), Classes, _y.AsSpan(0, Length / Classes * Classes), _execution);
}
