namespace NativeConv.Benchmarks.Kernels;

/// <summary>dw of a dense convolution, added to a gradient of each worker's own.</summary>
public class DenseConvolutionBackwardWeights : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DenseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardWeights;
}
