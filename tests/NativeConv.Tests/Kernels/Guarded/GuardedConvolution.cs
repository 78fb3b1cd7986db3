using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tests.Support;

namespace NativeConv.Tests.Kernels.Guarded;

/// <summary>Every pass of a convolution algorithm: packing, forward, both gradients apart and in one sweep.</summary>
internal static unsafe class GuardedConvolution
{
    // So many that often one is left without work.
    private const int Shares = 5;

    public static void Run(ConvolutionCase c)
    {
        GuardedRun.Of(new Forward(c, Multiplier: 0));
        GuardedRun.Of(new Backward(c, Multiplier: 0));
    }

    public static void Run(DepthwiseCase c)
    {
        RunForward(c);
        GuardedRun.Of(new Backward(c.AsConvolution, c.Multiplier));
    }

    public static void RunForward(DepthwiseCase c) => GuardedRun.Of(new Forward(c.AsConvolution, c.Multiplier));

    /// <summary>The algorithm of a depthwise convolution, or with a multiplier of 0 of a dense one.</summary>
    private static ConvolutionAlgorithm<TVector> Algorithm<TVector>(ConvolutionCase c, int multiplier)
        where TVector : struct, IVector<TVector> => multiplier > 0
            ? ConvolutionAlgorithm<TVector>.Depthwise(c.Geometry, c.InputChannels, multiplier)
            : ConvolutionAlgorithm<TVector>.Dense(c.Geometry, c.InputChannels, c.OutputChannels, c.Groups);

    private readonly record struct Forward(ConvolutionCase Case, int Multiplier) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier);
            float* w = buffers.Read(Case.WeightsLength), b = buffers.Read(Case.OutputChannels), x = buffers.Read(Case.InputLength);
            float* packed = buffers.Scratch(algorithm.ForwardPackedLength), scratch = buffers.Scratch(algorithm.ScratchLength);
            algorithm.PackForward(w, b, packed);
            algorithm.Forward(x, packed, buffers.Write(Case.OutputLength), scratch, Case.Images);
            float* y = buffers.Write(Case.OutputLength);
            for (int share = 0; share < Shares; share++)
                algorithm.PackForward(w, null, packed, new(share, Shares));

            for (int share = 0; share < Shares; share++)
                algorithm.Forward(x, packed, y, scratch, Case.Images, new(share, Shares));
        }
    }

    private readonly record struct Backward(ConvolutionCase Case, int Multiplier) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = Algorithm<TVector>(Case, Multiplier);
            float* x = buffers.Read(Case.InputLength), dy = buffers.Read(Case.OutputLength);
            float* packed = buffers.Scratch(algorithm.BackwardPackedLength), scratch = buffers.Scratch(algorithm.ScratchLength);
            algorithm.PackBackward(buffers.Read(Case.WeightsLength), packed);
            algorithm.BackwardInput(dy, packed, buffers.Write(Case.InputLength), scratch, Case.Images);
            algorithm.BackwardWeights(x, dy, buffers.Update(Case.WeightsLength), scratch, Case.Images);
            float* dx = buffers.Write(Case.InputLength), dw = buffers.Update(Case.WeightsLength), w = buffers.Read(Case.WeightsLength);
            for (int share = 0; share < Shares; share++)
                algorithm.PackBackward(w, packed, new(share, Shares));

            for (int share = 0; share < Shares; share++)
            {
                algorithm.BackwardInput(dy, packed, dx, scratch, Case.Images, new(share, Shares));
                algorithm.BackwardWeights(x, dy, dw, scratch, Case.Images, new(share, Shares));
            }

            algorithm.Backward(x, dy, packed, buffers.Write(Case.InputLength), buffers.Update(Case.WeightsLength), scratch, Case.Images);
        }
    }
}
