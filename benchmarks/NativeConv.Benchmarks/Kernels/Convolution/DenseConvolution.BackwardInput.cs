namespace NativeConv.Benchmarks.Kernels;

/// <summary>dx of a dense convolution.</summary>
public class DenseConvolutionBackwardInput : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DenseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.BackwardInput;
}
