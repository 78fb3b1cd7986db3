namespace NativeConv.Benchmarks.Kernels;

/// <summary>dw of a pointwise convolution, added to a gradient of each worker's own.</summary>
public class PointwiseConvolutionBackwardWeights : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.PointwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardWeights;
}
