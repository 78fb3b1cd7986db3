using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A dense layer on a batch of 128. Needs a quiet machine.</summary>
public class FullyConnectedBenchmarks
{
    private const int Rows = 128, Outputs = 10;
    private readonly ExecutionOptions _execution = new();
    private float[] _x = [], _y = [], _kernel = [], _kernelGradient = [];

    [Params(1568, 12544)]
    public int Inputs { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _x = Values.Random(Rows * Inputs);
        _y = Values.Random(Rows * Outputs);
        _kernel = Values.Random(Inputs * Outputs);
        _kernelGradient = new float[_kernel.Length];
    }

    [Benchmark]
    public void Forward() => FullyConnected.Forward(Inputs, Outputs, _x, _kernel, default, _y, _execution);

    [Benchmark]
    public void BackwardInput() => FullyConnected.BackwardInput(Inputs, Outputs, _y, _kernel, _x, _execution);

    [Benchmark]
    public void BackwardWeights() => FullyConnected.BackwardWeights(Inputs, Outputs, _x, _y, _kernelGradient, _execution);
}
