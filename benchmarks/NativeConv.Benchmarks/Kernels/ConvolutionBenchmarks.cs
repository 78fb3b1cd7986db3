using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Dense convolution on 32 images of 28 x 28, NHWC; a 1 x 1 kernel is the pointwise one. Needs a quiet machine.</summary>
public class ConvolutionBenchmarks
{
    private const int Images = 32, Size = 28;
    private readonly ExecutionOptions _execution = new();
    private Conv2DGeometry _geometry;
    private float[] _x = [], _y = [], _kernel = [], _kernelGradient = [];

    [Params(64)]
    public int Channels { get; set; }

    [Params(1, 3)]
    public int Kernel { get; set; }

    [Params(1, 2)]
    public int Dilation { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _geometry = new(Size, Size, Kernel, 1, Dilation, Padding.Same);
        _x = Values.Random(Images * Size * Size * Channels);
        _y = Values.Random(_x.Length);
        _kernel = Values.Random(Kernel * Kernel * Channels * Channels);
        _kernelGradient = new float[_kernel.Length];
    }

    [Benchmark]
    public void Forward() => Convolution.Forward(_geometry, Channels, Channels, _x, _kernel, default, _y, execution: _execution);

    [Benchmark]
    public void BackwardInput() => Convolution.BackwardInput(_geometry, Channels, Channels, _y, _kernel, _x, execution: _execution);

    [Benchmark]
    public void BackwardWeights() => Convolution.BackwardWeights(_geometry, Channels, Channels, _x, _y, _kernelGradient, execution: _execution);
}
