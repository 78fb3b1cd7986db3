namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx and dw of a depthwise convolution, in one sweep where the kernel can.</summary>
public class DepthwiseConvolutionBackward : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DepthwiseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.Backward;
}
