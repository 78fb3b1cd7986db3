using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// A convolution whose output gradient is zero in most places, as it is behind max-pooling: both gradients leave the zeros out. The order of summation is that of
/// <see cref="GeneralConvolution{TVector}"/>, and so are the bits, unless what a zero multiplies is not finite. Lanes are input channels, so that each value multiplies a whole row: of weights, packed
/// [tap, output channel, input channel], or of x. The weight gradient has that layout too.
/// </summary>
internal sealed unsafe class SparseGradientConvolution<TVector>(in Conv2DGeometry geometry, int inputChannels, int outputChannels, Rectifier rectifier)
    : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>Input channels come in multiples of this, which every vector's lanes divide; with fewer outputs a list would be mostly ends.</summary>
    private const int ChannelUnit = 16;

    /// <summary>Outputs of an image, for each of which the lists must have room.</summary>
    private const int MostOutputs = 1 << 16;

    private readonly Conv2DGeometry _g = geometry;
    private readonly ConvolutionPass _forward = ConvolutionPass.Forward(geometry, inputChannels, outputChannels, 1, rectifier);

    /// <summary>Whether the lists fit, and rows of x come in the order of the outputs.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        groups == 1 && inputChannels % ChannelUnit == 0 && outputChannels >= ChannelUnit && (long)geometry.OutputPixels * outputChannels <= MostOutputs
        && (geometry.OutputWidth - 1) * geometry.StrideWidth < geometry.StrideHeight * geometry.InputWidth;

    public override bool IsGradientTransposed => true;

    public override int ForwardPackedLength => _forward.PackedLength<TVector>();

    public override int BackwardPackedLength => _g.KernelHeight * _g.KernelWidth * inputChannels * outputChannels;

    public override int ScratchLength => Starts + (2 * Entries) + (_g.KernelWidth * (outputChannels + (2 * Entries)));

    public override int OwnRows => _forward.OwnRows;

    public override bool CanRunRows => _forward.CanRunRows;

    private int Starts => _g.OutputPixels + 1;

    private int Entries => _g.OutputPixels * outputChannels;

    /// <summary>An image's values that are not zero: pixel by pixel, and for each column of taps channel by channel, where the tap lies inside the image.</summary>
    private ref struct Image
    {
        public int* Starts, Counts;
        public SparseEntry* ByPixel, ByChannel;
    }

    public override void PackForward(float* weights, float* bias, float* packed, Share share) => _forward.Pack<TVector>(weights, bias, packed, share);

    public override void PackBackward(float* weights, float* packed, Share share)
    {
        (int first, int end) = share.Of(_g.KernelHeight * _g.KernelWidth);
        nint length = (nint)inputChannels * outputChannels;
        for (int tap = first; tap < end; tap++)
            Transposition.Run(weights + (tap * length), outputChannels, packed + (tap * length), inputChannels, inputChannels, outputChannels);
    }

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images, Share share) => _forward.Run<TVector>(x, packed, y, images, share);

    public override void ForwardRows(float* x, float* packed, float* y, int first, int end) => _forward.RunRows<TVector>(x, packed, y, first, end);

    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images, Share share)
    {
        if (share.Index == 0)
            Backward(null, dy, packed, dx, null, scratch, images);
    }

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images, Share share)
    {
        if (share.Index == 0)
            Backward(x, dy, null, null, dw, scratch, images);
    }

    /// <summary>One or both gradients; null for what is not wanted.</summary>
    public override void Backward(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        var image = new Image { Starts = (int*)scratch, ByPixel = (SparseEntry*)(scratch + Starts) };
        image.Counts = (int*)(image.ByPixel + Entries);
        image.ByChannel = (SparseEntry*)(image.Counts + (_g.KernelWidth * outputChannels));
        nint inputs = (nint)_g.InputPixels * inputChannels;
        for (int i = 0; i < images; i++)
        {
            ListPixels(dy + ((nint)i * Entries), image);
            if (dx != null)
                AddInputGradient(image, packed, dx + (i * inputs));

            if (dw != null)
            {
                ListChannels(image);
                AddWeightGradient(image, x + (i * inputs), dw);
            }
        }
    }

    /// <summary>Values by pixels; each one's row is its channel's of a tap's packed weights.</summary>
    private void ListPixels(float* dy, in Image image)
    {
        int count = 0;
        for (int pixel = 0; pixel < _g.OutputPixels; pixel++)
        {
            image.Starts[pixel] = count;
            for (int channel = 0; channel < outputChannels; channel++)
            {
                // Written in any case and kept where it is not zero: a branch would be guessed wrong too often.
                float value = *dy++;
                image.ByPixel[count] = new(channel, value);
                count += value != 0 ? 1 : 0;
            }
        }

        image.Starts[_g.OutputPixels] = count;
    }

    /// <summary>The same by channels, for each column of taps; each one's row is the pixel of x that the first tap would see without padding.</summary>
    private void ListChannels(in Image image)
    {
        new Span<int>(image.Counts, _g.KernelWidth * outputChannels).Clear();
        for (int pixel = 0; pixel < _g.OutputPixels; pixel++)
        {
            (int row, int column) = Math.DivRem(pixel, _g.OutputWidth);
            int at = (row * _g.StrideHeight * _g.InputWidth) + (column * _g.StrideWidth);
            (int firstTap, int endTap) = _g.ValidColumnTaps(column);
            SparseEntry* end = image.ByPixel + image.Starts[pixel + 1];
            for (int tap = firstTap; tap < endTap; tap++)
            {
                int* counts = image.Counts + (tap * outputChannels);
                SparseEntry* lists = image.ByChannel + ((nint)tap * Entries);
                for (SparseEntry* entry = image.ByPixel + image.Starts[pixel]; entry != end; entry++)
                    lists[((nint)entry->Row * _g.OutputPixels) + counts[entry->Row]++] = new(at, entry->Value);
            }
        }
    }

    private void AddInputGradient(in Image image, float* packed, float* dx)
    {
        new Span<float>(dx, _g.InputPixels * inputChannels).Clear();
        for (int first = 0; first < inputChannels;)
        {
            int vectors = SparseRowKernel.Vectors((inputChannels - first) / TVector.Lanes);
            for (int tapRow = 0; tapRow < _g.KernelHeight; tapRow++)
            {
                (int firstRow, int endRow) = _g.ValidOutputRows(tapRow);
                for (int tapColumn = 0; tapColumn < _g.KernelWidth && firstRow < endRow; tapColumn++)
                {
                    (int firstColumn, int endColumn) = _g.ValidOutputColumns(tapColumn);
                    if (firstColumn == endColumn)
                        continue;

                    SparseRowKernel.Run<TVector>(vectors, new SparseRowKernel.Grid
                    {
                        Sums = dx + first + InputOf(firstRow, firstColumn, tapRow, tapColumn),
                        Line = (nint)_g.StrideHeight * _g.InputWidth * inputChannels,
                        Column = (nint)_g.StrideWidth * inputChannels,
                        Lines = endRow - firstRow,
                        Columns = endColumn - firstColumn,
                        Starts = image.Starts + (firstRow * _g.OutputWidth) + firstColumn,
                        StartsLine = _g.OutputWidth,
                        Entries = image.ByPixel,
                        Rows = packed + first + TapOf(tapRow, tapColumn),
                        Pitch = inputChannels,
                    });
                }
            }

            first += vectors * TVector.Lanes;
        }
    }

    private void AddWeightGradient(in Image image, float* x, float* dw)
    {
        int line = _g.StrideHeight * _g.InputWidth;
        for (int first = 0; first < inputChannels;)
        {
            int vectors = SparseRowKernel.Vectors((inputChannels - first) / TVector.Lanes);
            for (int tapRow = 0; tapRow < _g.KernelHeight; tapRow++)
            {
                (int firstRow, int endRow) = _g.ValidOutputRows(tapRow);
                for (int tapColumn = 0; tapColumn < _g.KernelWidth && firstRow < endRow; tapColumn++)
                {
                    SparseRowKernel.Run<TVector>(vectors, new SparseRowKernel.Lists
                    {
                        Sums = dw + first + TapOf(tapRow, tapColumn),
                        Step = inputChannels,
                        Count = outputChannels,
                        Counts = image.Counts + (tapColumn * outputChannels),
                        Entries = image.ByChannel + ((nint)tapColumn * Entries),
                        EntriesStep = _g.OutputPixels,
                        FirstRow = firstRow * line,
                        EndRow = endRow * line,
                        Rows = x + first + InputOf(0, 0, tapRow, tapColumn),
                        Pitch = inputChannels,
                    });
                }
            }

            first += vectors * TVector.Lanes;
        }
    }

    private nint TapOf(int tapRow, int tapColumn) => (((nint)tapRow * _g.KernelWidth) + tapColumn) * inputChannels * outputChannels;

    /// <summary>Where in an image's input an output's tap lies.</summary>
    private nint InputOf(int row, int column, int tapRow, int tapColumn)
    {
        nint inputRow = ((nint)row * _g.StrideHeight) + ((nint)tapRow * _g.DilationHeight) - _g.PadTop;
        nint inputColumn = ((nint)column * _g.StrideWidth) + ((nint)tapColumn * _g.DilationWidth) - _g.PadLeft;
        return ((inputRow * _g.InputWidth) + inputColumn) * inputChannels;
    }
}
