namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a pointwise convolution.</summary>
public class PointwiseConvolutionBackwardInput : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.PointwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardInput;
}
