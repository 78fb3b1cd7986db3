namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a pointwise convolution.</summary>
public class PointwiseConvolutionForward : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.PointwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.Forward;
}
