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
        GuardedRun.Of(new Rows(c, Multiplier: 0));
        GuardedRun.Of(new Backward(c, Multiplier: 0));
    }

    /// <summary>Where an output gradient of zeros is left out.</summary>
    public static void RunSparse(ConvolutionCase c)
    {
        GuardedRun.Of(new Rows(c, Multiplier: 0, IsSparse: true));
        GuardedRun.Of(new Backward(c, Multiplier: 0, IsSparse: true));
    }

    public static void Run(DepthwiseCase c)
    {
        RunForward(c);
        GuardedRun.Of(new Backward(c.AsConvolution, c.Multiplier));
    }

    public static void RunForward(DepthwiseCase c)
    {
        GuardedRun.Of(new Forward(c.AsConvolution, c.Multiplier));
        GuardedRun.Of(new Rows(c.AsConvolution, c.Multiplier));
    }

    /// <summary>Where pixels are distant: from copies of groups of channels, or from where they are.</summary>
    public static void RunDistant(DepthwiseCase c)
    {
        foreach (bool copies in (bool[])[false, true])
        {
            GuardedRun.Of(new Forward(c.AsConvolution, c.Multiplier, copies));
            GuardedRun.Of(new Rows(c.AsConvolution, c.Multiplier, CopiesGroups: copies));
            GuardedRun.Of(new Backward(c.AsConvolution, c.Multiplier, CopiesGroups: copies));
        }
    }

    private readonly record struct Forward(ConvolutionCase Case, int Multiplier, bool? CopiesGroups = null) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = ConvolutionRunner.Algorithm<TVector>(Case, Multiplier, copiesGroups: CopiesGroups);
            float* w = buffers.Read(Case.WeightsLength), b = buffers.Read(Case.OutputChannels), x = buffers.Read(Case.InputLength);
            float* packed = buffers.Scratch(algorithm.ForwardPackedLength), scratch = buffers.Scratch(algorithm.ScratchLength);
            algorithm.PackForward(w, b, packed);
            algorithm.Forward(x, packed, buffers.Write(Case.OutputLength), scratch, Case.Images);
            float* y = buffers.Write(Case.OutputLength);
            for (int share = 0; share < Shares; share++)
                algorithm.PackForward(w, null, packed, new(share, Shares));

            for (int share = 0; share < Shares; share++)
                algorithm.Forward(x, packed, y, scratch, Case.Images, new(share, Shares));

            y = buffers.Write(Case.OutputLength);
            for (int share = 0; share < Shares; share++)
                algorithm.ForwardFromMemory(x, packed, y, scratch, Case.Images, new(share, Shares));

            FetchQueue ahead = default;
            ahead.Add(x, Case.InputLength);
            algorithm.ForwardAsking(x, packed, buffers.Write(Case.OutputLength), scratch, Case.Images, &ahead);
            if (algorithm.ForwardPanelLength == 0)
                return;

            float* panel = buffers.Scratch(algorithm.ForwardPanelLength);
            algorithm.ForwardUnpacked(x, w, null, buffers.Write(Case.OutputLength), panel, Case.Images, Share.All);
            y = buffers.Write(Case.OutputLength);
            for (int share = 0; share < Shares; share++)
                algorithm.ForwardUnpacked(x, w, b, y, panel, Case.Images, new(share, Shares));
        }
    }

    /// <summary>Bands of rows, each in a buffer of its own size, and each rectifier.</summary>
    private readonly record struct Rows(ConvolutionCase Case, int Multiplier, bool IsSparse = false, bool? CopiesGroups = null) : IGuardedKernel
    {
        private const int Bands = 3;

        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            float* w = buffers.Read(Case.WeightsLength), b = buffers.Read(Case.OutputChannels), x = buffers.Read(Case.InputLength);
            foreach (Activation activation in (Activation[])[Activation.Linear, Activation.ReLU, Activation.ReLU6])
            {
                ConvolutionAlgorithm<TVector> algorithm = ConvolutionRunner.Algorithm<TVector>(Case, Multiplier, Rectifier.Of(activation)!.Value, IsSparse, CopiesGroups);
                float* packed = buffers.Scratch(algorithm.ForwardPackedLength);
                algorithm.PackForward(w, b, packed);
                if (!algorithm.CanRunRows)
                {
                    algorithm.Forward(x, packed, buffers.Write(Case.OutputLength), buffers.Scratch(algorithm.ScratchLength), Case.Images);
                    continue;
                }

                int row = Case.Geometry.OutputWidth * Case.OutputChannels, sourceRow = Case.Geometry.InputWidth * Case.InputChannels;
                for (int band = 0; band < Bands; band++)
                {
                    int first = Case.Geometry.OutputHeight * band / Bands, end = Case.Geometry.OutputHeight * (band + 1) / Bands;
                    if (first == end)
                        continue;

                    float* source = algorithm.OwnRows == 0 ? x : buffers.Read((end - first) * algorithm.OwnRows * sourceRow) - (first * algorithm.OwnRows * sourceRow);
                    algorithm.ForwardRows(source, packed, buffers.Write((end - first) * row) - (first * row), first, end);
                }
            }
        }
    }

    private readonly record struct Backward(ConvolutionCase Case, int Multiplier, bool IsSparse = false, bool? CopiesGroups = null) : IGuardedKernel
    {
        public void Run<TVector>(GuardedBuffers buffers)
            where TVector : struct, IVector<TVector>
        {
            ConvolutionAlgorithm<TVector> algorithm = ConvolutionRunner.Algorithm<TVector>(Case, Multiplier, isSparse: IsSparse, copiesGroups: CopiesGroups);
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

            algorithm.BackwardWeightsFromMemory(x, dy, buffers.Update(Case.WeightsLength), scratch, Case.Images, Share.All);
            algorithm.Backward(x, dy, packed, buffers.Write(Case.InputLength), buffers.Update(Case.WeightsLength), scratch, Case.Images);
            FetchQueue ahead = default;
            ahead.Add(x, Case.InputLength);
            ahead.Add(dy, Case.OutputLength);
            algorithm.BackwardAsking(x, dy, packed, buffers.Write(Case.InputLength), buffers.Update(Case.WeightsLength), scratch, Case.Images, &ahead);
            for (int band = 0; algorithm.CanRunBackwardRows && band < Shares; band++)
            {
                // What a band writes of dx has a buffer of its own size.
                int row = Case.Geometry.InputWidth * Case.InputChannels;
                (int first, int end) = new Share(band, Shares).Of(Case.Geometry.InputHeight);
                float* rows = first == end ? null : buffers.Write((end - first) * row) - (first * row);
                algorithm.BackwardRows(x, dy, packed, rows, buffers.Update(Case.WeightsLength), new(band, Shares));
            }

            if (algorithm.CanBeginWeights)
            {
                dw = buffers.Write(Case.WeightsLength);
                for (int share = 0; share < Shares; share++)
                    algorithm.BeginWeights(x, dy, dw, scratch, Case.Images, new(share, Shares));
            }

            if (algorithm.BackwardPanelLength > 0)
            {
                float* panel = buffers.Scratch(algorithm.BackwardPanelLength);
                dx = buffers.Write(Case.InputLength);
                for (int share = 0; share < Shares; share++)
                    algorithm.BackwardInputUnpacked(dy, w, dx, panel, Case.Images, new(share, Shares));
            }
        }
    }
}
