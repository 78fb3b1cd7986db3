namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a depthwise convolution.</summary>
public class DepthwiseConvolutionForward : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DepthwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.Forward;
}
