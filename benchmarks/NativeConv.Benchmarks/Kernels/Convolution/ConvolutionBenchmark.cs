using BenchmarkDotNet.Attributes;
using NativeConv.Simd;

namespace NativeConv.Benchmarks.Kernels;

/// <summary>A pass of a convolution.</summary>
public abstract class ConvolutionBenchmark : KernelBenchmark
{
    public abstract IEnumerable<ConvolutionShape> Shapes { get; }

    [ParamsSource(nameof(Shapes))]
    public ConvolutionShape Shape { get; set; } = ConvolutionShape.DepthwiseLayers[0];

    private protected override int Items => Shape.Images;

    private protected override RangeWork Bind<TVector>() => Pass(new ConvolutionRun<TVector>(Shape, Threads));

    private protected abstract RangeWork Pass<TVector>(ConvolutionRun<TVector> run)
        where TVector : struct, IVector<TVector>;
}
