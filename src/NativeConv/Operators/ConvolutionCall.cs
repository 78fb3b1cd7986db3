using NativeConv.Kernels;
using NativeConv.Simd;
using NativeConv.Tensors;
using NativeConv.Threading;

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

    /// <summary>Below so many multiply-adds a fork costs more than it saves. Depthwise ones have few for each value, which the other core's cache must get first.</summary>
    private const int LeastSharedMultiplyAdds = 1_000_000, LeastSharedDepthwiseMultiplyAdds = 1_500_000;

    /// <summary>From so many values of x, y and the kernel on a fork pays with fewer multiply-adds, too: of strided convolutions, and of many weights for few pixels.</summary>
    private const int LeastSharedValues = 400_000;

    /// <summary>Where there is a fork, what each thread beyond the first should have.</summary>
    private const int LeastMultiplyAdds = 200_000;

    /// <summary>From so many packed weights on, packing is worth a fork.</summary>
    private const int LeastSharedPacking = 32 * 1024;

    /// <summary>
    /// Up to so many values of the source for each weight, weights are not packed beforehand: threads share out channels instead of pixels, and each packs a few weights just before all pixels
    /// use them. Measured: three times faster at 0.05 values a weight, a twentieth at 3, no difference at 24.
    /// </summary>
    private const int FewValuesPerWeight = 4;

    /// <summary>A range of images that a worker takes has so many pixels, so that weights, read for each range, are read for many. Depthwise ones without a multiplier and pointwise ones are long enough to be fetched ahead.</summary>
    private const int LeastRangePixels = 384;

    /// <summary>From this size on a batch's x and dy are taken to come from memory.</summary>
    private const long MemoryBytes = 8L * 1024 * 1024;

    /// <summary>From this size of a thread's part of x and y on they are taken to be beyond the caches, of which the last may be a core's own.</summary>
    private const long CacheBytesOfThread = 20L * 1024 * 1024;

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

    /// <summary>Threads that the work is worth: a fork costs as much as some multiply-adds.</summary>
    private int Threads(int images)
    {
        long multiplyAdds = (long)images * geometry.OutputPixels * KernelLength, values = ((long)images * (InputLength + OutputLength)) + KernelLength;
        bool isWorthAFork = multiplyAdds >= (groups == 0 ? LeastSharedDepthwiseMultiplyAdds : LeastSharedMultiplyAdds) || values >= LeastSharedValues;
        return isWorthAFork ? (int)Math.Min(_execution.ThreadCount, 1 + (multiplyAdds / LeastMultiplyAdds)) : 1;
    }

    private int Run<TVector>(PassKind pass, int images, float* a, float* b, float* bias, float* result)
        where TVector : struct, IVector<TVector>
    {
        bool isPointwise = geometry.IsPointwise && groups > 0;
        Conv2DGeometry shape = isPointwise ? new(1, 1, 1, 1, 1, Padding.Valid) : geometry;
        if (pass == PassKind.BackwardWeights)
            AddUp<TVector>(images, a, b, result);
        else if (images > 0)
            Map<TVector>(pass, shape, Threads(images), isPointwise ? checked(images * geometry.InputPixels) : images, a, b, bias, result);

        return images;
    }

    /// <summary>Forward or an input gradient, which add nothing up across images: these are shared out, or where they are fewer than threads, their rows.</summary>
    private void Map<TVector>(PassKind pass, Conv2DGeometry shape, int threads, int images, float* source, float* kernel, float* bias, float* result)
        where TVector : struct, IVector<TVector>
    {
        LentMemory memory = _execution.Prepared.Memory;
        ConvolutionAlgorithm<TVector> algorithm = _execution.Prepared.Get<TVector>(shape, channels, filters, groups);
        nint input = (nint)shape.InputPixels * channels, output = (nint)shape.OutputPixels * filters;
        bool forward = pass == PassKind.Forward;
        int panelLength = forward ? algorithm.ForwardPanelLength : algorithm.BackwardPanelLength;
        if (panelLength > 0 && images * (long)(forward ? input : output) <= (long)FewValuesPerWeight * KernelLength)
        {
            Workers.Run(threads, worker =>
            {
                AlignedMemory panel = memory.Take(panelLength);
                if (forward)
                    algorithm.ForwardUnpacked(source, kernel, bias, result, panel.Pointer, images, new(worker, threads));
                else
                    algorithm.BackwardInputUnpacked(source, kernel, result, panel.Pointer, images, new(worker, threads));

                memory.Return(panel);
            });
            return;
        }

        int packedLength = forward ? algorithm.ForwardPackedLength : algorithm.BackwardPackedLength;
        AlignedMemory packed = memory.Take(packedLength);
        int packers = packedLength >= LeastSharedPacking ? threads : 1;
        Workers.Run(packers, worker =>
        {
            if (forward)
                algorithm.PackForward(kernel, bias, packed.Pointer, new(worker, packers));
            else
                algorithm.PackBackward(kernel, packed.Pointer, new(worker, packers));
        });

        bool isBeyondCaches = forward && images * (input + output) * sizeof(float) / threads >= CacheBytesOfThread;
        if (images >= threads)
        {
            bool depthwise = groups == 0 && filters == channels;
            long fetched = depthwise ? DepthwisePass<TVector>.FetchedBytes : geometry.IsPointwise ? ConvolutionPass.FetchedBytes : 0;
            long least = 1 + Math.Max(fetched / (sizeof(float) * (long)(input + output)), depthwise ? 0 : (LeastRangePixels - 1) / shape.OutputPixels);
            ImageShares.Run(images, threads, (int)least, ranges =>
            {
                AlignedMemory scratch = memory.Take(algorithm.ScratchLength);
                while (ranges.TryTake(out int first, out int count))
                    Compute(first, count, scratch, Share.All);

                memory.Return(scratch);
            });
        }
        else
        {
            Workers.Run(threads, worker =>
            {
                AlignedMemory scratch = memory.Take(algorithm.ScratchLength);
                Compute(0, images, scratch, new(worker, threads));
                memory.Return(scratch);
            });
        }

        memory.Return(packed);

        void Compute(int first, int count, AlignedMemory scratch, Share share)
        {
            if (isBeyondCaches)
                algorithm.ForwardFromMemory(source + (first * input), packed.Pointer, result + (first * output), scratch.Pointer, count, share);
            else if (forward)
                algorithm.Forward(source + (first * input), packed.Pointer, result + (first * output), scratch.Pointer, count, share);
            else
                algorithm.BackwardInput(source + (first * output), packed.Pointer, result + (first * input), scratch.Pointer, count, share);
        }
    }

    /// <summary>A weight gradient: parts of the batch have sums of their own, by the shapes alone; threads beyond the parts share out their channels.</summary>
    private void AddUp<TVector>(int images, float* x, float* dy, float* result)
        where TVector : struct, IVector<TVector>
    {
        LentMemory memory = _execution.Prepared.Memory;
        ConvolutionAlgorithm<TVector> algorithm = _execution.Prepared.Get<TVector>(geometry, channels, filters, groups);
        nint input = InputLength, output = OutputLength;
        int length = KernelLength, parts = ImageShares.Parts(images, length), threads = Threads(images), shares = (threads + parts - 1) / parts;
        AlignedMemory sums = memory.Take((long)(parts - 1) * length);
        bool begins = algorithm.CanBeginWeights && images > 0, isFromMemory = images * (input + output) * sizeof(float) >= MemoryBytes;
        if (!begins)
            new Span<float>(result, length).Clear();

        ImageShares.Run(parts * shares, threads, leastItems: 1, ranges =>
        {
            AlignedMemory scratch = memory.Take(algorithm.ScratchLength);
            while (ranges.TryTake(out int firstItem, out int items))
            {
                for (int item = firstItem; item < firstItem + items; item++)
                {
                    (int part, int share) = Math.DivRem(item, shares);
                    (int first, int end) = new Share(part, parts).Of(images);
                    if (begins)
                        algorithm.BeginWeights(x + (first * input), dy + (first * output), Sum(part), scratch.Pointer, end - first, new(share, shares));
                    else if (isFromMemory)
                        algorithm.BackwardWeightsFromMemory(x + (first * input), dy + (first * output), Sum(part), scratch.Pointer, end - first, new(share, shares));
                    else
                        algorithm.BackwardWeights(x + (first * input), dy + (first * output), Sum(part), scratch.Pointer, end - first, new(share, shares));
                }
            }

            memory.Return(scratch);
        });
        ImageShares.Merge(parts, (to, from) => ElementwiseKernel.AddTo<TVector>(Sum(from), Sum(to), length));
        memory.Return(sums);

        // The first part's sum is the result itself.
        float* Sum(int part) => part == 0 ? result : sums.Pointer + ((nint)(part - 1) * length);
    }

    private readonly struct PassWork(ConvolutionCall call, PassKind pass, int images, float* a, float* b, float* bias, float* result) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector> => call.Run<TVector>(pass, images, a, b, bias, result);
    }
}
