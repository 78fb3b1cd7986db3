namespace NativeConv.Benchmarks.Kernels;

/// <summary>dw of a depthwise convolution, added to a gradient of each worker's own.</summary>
public class DepthwiseConvolutionBackwardWeights : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DepthwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardWeights;
}
