namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a depthwise convolution.</summary>
public class DepthwiseConvolutionBackwardInput : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DepthwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardInput;
}
