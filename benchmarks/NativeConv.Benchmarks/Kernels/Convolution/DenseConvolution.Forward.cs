namespace NativeConv.Benchmarks.Kernels;

/// <summary>y of a dense convolution.</summary>
public class DenseConvolutionForward : ConvolutionBenchmark
{
    public override IEnumerable<ConvolutionShape> Shapes => ConvolutionShape.DenseLayers;

    private protected override RangeWork Pass<TVector>(ConvolutionRun<TVector> run) => run.Forward;
}
