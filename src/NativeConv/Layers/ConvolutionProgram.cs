using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Layers;

/// <summary>Any convolution: parameters are the kernel and, with a bias, the bias. Backward as its algorithm does it, or from the gradient of the pooling behind.</summary>
internal sealed unsafe class ConvolutionProgram<TVector>(NodeBinding node, ConvolutionAlgorithm<TVector> algorithm, bool hasBias, PooledGradient<TVector>? pooled) : LayerProgram
    where TVector : struct, IVector<TVector>
{
    /// <summary>Of so many multiply-adds or fewer, as in a 3x3 window of one channel, a value takes about half as long as writing it to memory and reading it.</summary>
    private const int FewMultiplyAdds = 9;

    private readonly AlignedMemory _forward = new(algorithm.ForwardPackedLength);
    private readonly AlignedMemory? _backward = node.HasBackward ? new(pooled?.PackedLength ?? algorithm.BackwardPackedLength) : null;

    public override int ScratchLength => pooled?.ScratchLength ?? algorithm.ScratchLength;

    public override BackwardReads BackwardReads =>
        (node.ParametersTrainable ? BackwardReads.Inputs : BackwardReads.None) | (IsRectified ? BackwardReads.Output : BackwardReads.None);

    private bool IsRectified => node.BackwardActivation != Activation.Linear;

    public override bool IsKernelGradientTransposed => algorithm.IsGradientTransposed;

    public override int PrepareShares => PrepareSharesOf(node.Parameters[0].Length);

    public override void Prepare(ulong seed, long step, Share share)
    {
        float* kernel = node.Parameters[0].Value;
        algorithm.PackForward(kernel, hasBias ? node.Parameters[1].Value : null, _forward.Pointer, share);
        if (_backward == null || node.InputGradients[0].IsNull)
            return;

        if (pooled == null)
            algorithm.PackBackward(kernel, _backward.Pointer, share);
        else if (share.Index == 0)
            pooled.Pack(kernel, _backward.Pointer);
    }

    public override bool CanRunForwardAgain => node.Parameters[0].Length <= FewMultiplyAdds * node.OutputShape.Channels;

    public override int OwnRows => algorithm.OwnRows;

    public override bool CanRunRows => algorithm.CanRunRows;

    public override void ForwardRows(int image, float* x, float* y, int first, int end) => algorithm.ForwardRows(x, _forward.Pointer, y, first, end);

    public override LayerProgram? WithPooling(NodeBinding pooling) => algorithm.WithPooling() is { } both ? new Pooled(node, hasBias, both, pooling) : null;

    public override void Forward(int phase, in Work work) =>
        algorithm.ForwardAsking(node.Inputs[0].At(work), _forward.Pointer, node.Output.At(work), work.Scratch, work.Count, work.Ahead);

    public override bool CanAsk => algorithm.CanAsk && pooled == null;

    public override void Backward(int phase, in Work work)
    {
        float* x = node.Inputs[0].At(work), dy = node.OutputGradient.At(work), dx = InputGradient(work), dw = KernelGradient(work);
        // Here, not where the pooling went backward: what wrote the gradient may have run again since.
        if (node.Pooling is { BackwardActivation: not Activation.Linear } rectified)
            MaxPool2x2.LeaveWinners<TVector>(dy, rectified.WinnersOf(work.First), (nint)work.Count * GradientShape.Length);

        if (IsRectified)
            Rectifier.Of(node.BackwardActivation)!.Value.Backward<TVector>(node.Output.At(work), dy, (nint)work.Count * node.OutputShape.Length);

        if (pooled != null)
            pooled.Run(x, dy, node.Pooling!.WinnersOf(work.First), _backward!.Pointer, dx, dw, work.Scratch, work.Count);
        else
            algorithm.BackwardAsking(x, dy, _backward!.Pointer, dx, dw, work.Scratch, work.Count, work.Ahead);

        AddBiasGradient(dy, (long)work.Count * GradientShape.Pixels, work);
    }

    public override bool CanRunBands => algorithm.CanRunRows && algorithm.CanRunBackwardRows && node.Pooling == null && !IsRectified;

    public override void BackwardBand(in Work work, Share band)
    {
        float* dy = node.OutputGradient.At(work);
        algorithm.BackwardRows(node.Inputs[0].At(work), dy, _backward!.Pointer, InputGradient(work), KernelGradient(work), band);
        ImageShape shape = node.OutputShape;
        (int first, int end) = band.Of(shape.Height);
        AddBiasGradient(dy + ((nint)first * shape.Width * shape.Channels), (long)(end - first) * shape.Width, work);
    }

    /// <summary>Null where nothing needs it, as below.</summary>
    private float* InputGradient(in Work work) => node.InputGradients[0].IsNull ? null : node.InputGradients[0].At(work);

    private float* KernelGradient(in Work work) => node.ParametersTrainable ? node.Parameters[0].Private(work) : null;

    private void AddBiasGradient(float* dy, long pixels, in Work work)
    {
        if (node.ParametersTrainable && hasBias)
            ColumnSumKernel.Run<TVector>(dy, node.Parameters[1].Private(work), pixels, node.OutputShape.Channels);
    }

    private ImageShape GradientShape => node.Pooling?.OutputShape ?? node.OutputShape;

    /// <summary>The forward pass of the convolution and the pooling behind it.</summary>
    private sealed class Pooled(NodeBinding convolution, bool hasBias, PooledConvolution both, NodeBinding pooling) : LayerProgram
    {
        public override bool CanRunRows => true;

        public override void ForwardRows(int image, float* x, float* y, int first, int end) =>
            both.Run<TVector>(x, convolution.Parameters[0].Value, hasBias ? convolution.Parameters[1].Value : null, y, pooling.WinnersOf(image), first, end);

        public override void Forward(int phase, in Work work) => throw new NotSupportedException();

        public override void Backward(int phase, in Work work) => throw new NotSupportedException();
    }
}
