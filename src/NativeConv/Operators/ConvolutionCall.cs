using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Operators;

/// <summary>A dense or depthwise convolution over checked spans.</summary>
/// <param name="geometry">Sizes, strides, dilations, pads.</param>
/// <param name="channels">Input channels.</param>
/// <param name="filters">Output channels.</param>
/// <param name="groups">Groups of a dense convolution; 0 for a depthwise one.</param>
/// <param name="execution">How it computes.</param>
internal readonly unsafe struct ConvolutionCall(Conv2DGeometry geometry, int channels, int filters, int groups, ExecutionOptions? execution)
{
    private readonly ExecutionOptions _execution = execution ?? new();

    private enum PassKind
    {
        Forward,
        BackwardInput,
        BackwardWeights,
    }

    private int InputLength => geometry.InputPixels * channels;

    private int OutputLength => geometry.OutputPixels * filters;

    private int KernelLength => geometry.KernelHeight * geometry.KernelWidth * (groups == 0 ? filters : channels / groups * filters);

    public void Forward(ReadOnlySpan<float> x, ReadOnlySpan<float> kernel, ReadOnlySpan<float> bias, Span<float> y)
    {
        int images = Require.Images(x, InputLength, nameof(x));
        Require.Length(kernel, KernelLength, nameof(kernel));
        Require.Length(y, (long)images * OutputLength, nameof(y));
        if (!bias.IsEmpty)
            Require.Length(bias, filters, nameof(bias));

        fixed (float* a = x, w = kernel, b = bias, to = y)
            Dispatch(PassKind.Forward, images, a, w, b, to);
    }

    public void BackwardInput(ReadOnlySpan<float> dy, ReadOnlySpan<float> kernel, Span<float> dx)
    {
        int images = Require.Images(dy, OutputLength, nameof(dy));
        Require.Length(kernel, KernelLength, nameof(kernel));
        Require.Length(dx, (long)images * InputLength, nameof(dx));
        fixed (float* a = dy, w = kernel, to = dx)
            Dispatch(PassKind.BackwardInput, images, a, w, null, to);
    }

    public void BackwardWeights(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> kernelGradient)
    {
        int images = Require.Images(x, InputLength, nameof(x));
        Require.Length(dy, (long)images * OutputLength, nameof(dy));
        Require.Length(kernelGradient, KernelLength, nameof(kernelGradient));
        fixed (float* a = x, b = dy, to = kernelGradient)
            Dispatch(PassKind.BackwardWeights, images, a, b, null, to);
    }

    private void Dispatch(PassKind pass, int images, float* a, float* b, float* bias, float* result) =>
        SimdLevels.Dispatch<PassWork, int>(_execution.Level, new(this, pass, images, a, b, bias, result));

    private int Run<TVector>(PassKind pass, int images, float* a, float* b, float* bias, float* result)
        where TVector : struct, IVector<TVector>
    {
        ConvolutionAlgorithm<TVector> algorithm = _execution.Prepared.Get<TVector>(geometry, channels, filters, groups);
        nint input = InputLength, output = OutputLength;
        if (pass == PassKind.BackwardWeights)
        {
            int length = KernelLength, parts = ImageShares.Parts(images);
            var sums = new AlignedMemory((long)parts * length);
            ImageShares.RunParts(images, _execution.ThreadCount, (part, first, count) =>
            {
                var scratch = new AlignedMemory(algorithm.ScratchLength);
                algorithm.BackwardWeights(a + (first * input), b + (first * output), sums.Pointer + ((nint)part * length), scratch.Pointer, count);
                GC.KeepAlive(scratch);
            });
            ImageShares.Merge(parts, (to, from) =>
                ElementwiseKernel.AddTo<TVector>(sums.Pointer + ((nint)from * length), sums.Pointer + ((nint)to * length), length));
            sums.Span[..length].CopyTo(new(result, length));
            return images;
        }

        bool forward = pass == PassKind.Forward;
        var packed = new AlignedMemory(forward ? algorithm.ForwardPackedLength : algorithm.BackwardPackedLength);
        if (forward)
            algorithm.PackForward(b, bias, packed.Pointer);
        else
            algorithm.PackBackward(b, packed.Pointer);

        ImageShares.Run(images, _execution.ThreadCount, (first, count) =>
        {
            var scratch = new AlignedMemory(algorithm.ScratchLength);
            if (forward)
                algorithm.Forward(a + (first * input), packed.Pointer, result + (first * output), scratch.Pointer, count);
            else
                algorithm.BackwardInput(a + (first * output), packed.Pointer, result + (first * input), scratch.Pointer, count);

            GC.KeepAlive(scratch);
        });
        GC.KeepAlive(packed);
        return images;
    }

    private readonly struct PassWork(ConvolutionCall call, PassKind pass, int images, float* a, float* b, float* bias, float* result) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector> => call.Run<TVector>(pass, images, a, b, bias, result);
    }
}
