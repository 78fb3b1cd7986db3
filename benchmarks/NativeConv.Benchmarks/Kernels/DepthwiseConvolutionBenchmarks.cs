using BenchmarkDotNet.Attributes;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>Depthwise convolution on 32 images, NHWC. Needs a quiet machine.</summary>
public class DepthwiseConvolutionBenchmarks
{
    private const int Images = 32;
    private readonly ExecutionOptions _execution = new();
    private Conv2DGeometry _geometry;
    private float[] _x = [], _y = [], _kernel = [], _kernelGradient = [];

    [Params(28)]
    public int Size { get; set; }

    [Params(64)]
    public int Channels { get; set; }

    [Params(3, 5)]
    public int Kernel { get; set; }

    [Params(1, 2)]
    public int Dilation { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _geometry = new(Size, Size, Kernel, 1, Dilation, Padding.Same);
        _x = Values.Random(Images * Size * Size * Channels);
        _y = Values.Random(_x.Length);
        _kernel = Values.Random(Kernel * Kernel * Channels);
        _kernelGradient = new float[_kernel.Length];
    }

    [Benchmark]
    public void Forward() => DepthwiseConvolution.Forward(_geometry, Channels, _x, _kernel, default, _y, execution: _execution);

    [Benchmark]
    public void BackwardInput() => DepthwiseConvolution.BackwardInput(_geometry, Channels, _y, _kernel, _x, execution: _execution);

    [Benchmark]
    public void BackwardWeights() => DepthwiseConvolution.BackwardWeights(_geometry, Channels, _x, _y, _kernelGradient, execution: _execution);
}
