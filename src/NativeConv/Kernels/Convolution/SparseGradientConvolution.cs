using System.Numerics;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// A convolution whose output gradient is zero in most places, as it is behind max-pooling: both gradients leave those zeros out, and the weight gradient takes zeros for x around the image. The order of
/// summation is that of <see cref="GeneralConvolution{TVector}"/>, and so are the bits where x, weights and gradients are finite. Lanes are input channels, so that each value multiplies a whole row: of
/// weights, packed [tap, output channel, input channel], or of x. The weight gradient has that layout too.
/// </summary>
internal sealed unsafe class SparseGradientConvolution<TVector> : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>Input channels come in multiples of this, which every vector's lanes divide; with fewer output channels a list would be mostly ends.</summary>
    private const int ChannelUnit = 16;

    /// <summary>Values of an image's output, for each of which the lists must have room.</summary>
    private const int MostValues = 1 << 16;

    /// <summary>Floats of an image and of packed weights, and those that an entry's offset skips.</summary>
    private const int MostFloats = 1 << 28;

    /// <summary>A vector of channels of a band of x stays in the first-level cache.</summary>
    private const int BandBytes = 24 * 1024;

    /// <summary>Pixels of x of a row of outputs: more would not stay in the second-level cache.</summary>
    private const int MostRowPixels = 4096;

    /// <summary>A pixel of x is copied where a row of outputs has so many products with taps for each: some few of them cost as much.</summary>
    private const int ProductsOfPixel = 4;

    /// <summary>Sums that a call of the kernel gets.</summary>
    private const int SumsOfCall = 64;

    private readonly Conv2DGeometry _g;
    private readonly int _inputChannels, _outputChannels;
    private readonly ConvolutionPass _forward;
    private readonly SparseColumns _columns;

    /// <summary>Pixels of a row of the copy of x.</summary>
    private readonly int _copiedWidth;

    /// <summary>Rows of outputs whose weight gradient is added at a time.</summary>
    private readonly int _bandRows;

    public SparseGradientConvolution(in Conv2DGeometry geometry, int inputChannels, int outputChannels, Rectifier rectifier)
    {
        (_g, _inputChannels, _outputChannels) = (geometry, inputChannels, outputChannels);
        _forward = ConvolutionPass.Forward(geometry, inputChannels, outputChannels, 1, rectifier);
        _columns = new(geometry);
        _copiedWidth = (int)geometry.ColumnsSeen(geometry.OutputWidth);
        _bandRows = geometry.OutputHeight;
        while (!geometry.IsPointwise && _bandRows > 1 && geometry.RowsSeen(_bandRows) * _copiedWidth * TVector.Lanes * sizeof(float) > BandBytes)
            _bandRows--;
    }

    /// <summary>Whether the lists, their entries' offsets and a copy of what a row of outputs sees fit.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
    {
        if (groups != 1 || inputChannels % ChannelUnit != 0 || outputChannels < ChannelUnit
            || (long)geometry.OutputHeight * geometry.OutputWidth > MostValues / outputChannels
            || (long)geometry.InputHeight * geometry.InputWidth > MostFloats / inputChannels)
        {
            return false;
        }

        long width = geometry.ColumnsSeen(geometry.OutputWidth), rows = Math.Max(geometry.RowsSeen(1), geometry.StrideHeight), taps = (long)geometry.KernelHeight * geometry.KernelWidth;
        return rows <= MostRowPixels && width <= MostRowPixels && rows * width <= Math.Min(MostRowPixels, geometry.OutputWidth * taps * outputChannels / ProductsOfPixel)
            && Math.Max((long)geometry.OutputWidth * geometry.StrideWidth, taps) * inputChannels <= MostFloats / outputChannels;
    }

    public override bool IsGradientTransposed => true;

    public override int ForwardPackedLength => _forward.PackedLength<TVector>();

    public override int BackwardPackedLength => _g.KernelHeight * _g.KernelWidth * _inputChannels * _outputChannels;

    public override int ScratchLength => StartsLength + MasksLength + CountsLength + (2 * ListLength) + (_g.IsPointwise ? 0 : (int)_g.RowsSeen(_bandRows) * _copiedWidth * TVector.Lanes);

    public override int OwnRows => _forward.OwnRows;

    public override bool CanRunRows => _forward.CanRunRows;

    // Floats of the scratch's parts, whole lines of the cache each as the scratch is aligned to, for the copy behind them.
    private int StartsLength => Lines(_g.OutputPixels + 1);

    private int MasksLength => Lines(_g.OutputPixels * MasksOfPixel);

    private int CountsLength => Lines(_outputChannels);

    private int ListLength => Lines(2 * ((_g.OutputPixels * _outputChannels) + SparseEntry.Ahead));

    /// <summary>Entries from a channel's list to the next one's.</summary>
    private int ChannelList => _bandRows * _g.OutputWidth;

    private int MasksOfPixel => (_outputChannels + 31) / 32;

    private static int Lines(int floats) => (floats + 15) & ~15;

    /// <summary>An image's values that are not zero.</summary>
    private ref struct Image
    {
        /// <summary>A bit for each, in the order of dy.</summary>
        public uint* Masks;

        /// <summary>For the input gradient: lists of pixels, those of a row as <see cref="SparseColumns"/> orders them, and where each begins.</summary>
        public SparseEntry* ByPixel;
        public int* Starts;

        /// <summary>For the weight gradient: a band's lists of channels, how long each is, and a vector of channels of what the band sees.</summary>
        public SparseEntry* ByChannel;
        public int* Counts;
        public float* Copy;
    }

    public override void PackForward(float* weights, float* bias, float* packed, Share share) => _forward.Pack<TVector>(weights, bias, packed, share);

    public override void PackBackward(float* weights, float* packed, Share share)
    {
        (int first, int end) = share.Of(_g.KernelHeight * _g.KernelWidth);
        nint length = (nint)_inputChannels * _outputChannels;
        for (int tap = first; tap < end; tap++)
            Transposition.Run(weights + (tap * length), _outputChannels, packed + (tap * length), _inputChannels, _inputChannels, _outputChannels);
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
        var image = new Image { Starts = (int*)scratch };
        image.Masks = (uint*)(image.Starts + StartsLength);
        image.Counts = (int*)(image.Masks + MasksLength);
        image.ByPixel = (SparseEntry*)(image.Counts + CountsLength);
        image.ByChannel = (SparseEntry*)((float*)image.ByPixel + ListLength);
        image.Copy = (float*)image.ByChannel + ListLength;
        for (int i = 0; i < images; i++, dy += _g.OutputPixels * _outputChannels)
        {
            Mask(dy, image.Masks);
            nint inputs = (nint)i * _g.InputPixels * _inputChannels;
            if (dx != null)
                AddInputGradient(dy, image, packed, dx + inputs);

            if (dw != null)
                AddWeightGradient(dy, image, x + inputs, dw);
        }
    }

    /// <summary>A bit for each value that is not zero, 32 values of a pixel a word.</summary>
    private void Mask(float* dy, uint* masks)
    {
        for (int pixel = 0; pixel < _g.OutputPixels; pixel++)
        {
            for (int left = _outputChannels; left > 0; left -= 32)
            {
                int count = Math.Min(left, 32);
                *masks++ = NotZero.Bits(dy, count);
                dy += count;
            }
        }
    }

    /// <summary>Values by pixels; each one's row is its channel's of packed weights, through the tap that its column is for.</summary>
    private void ListPixels(float* dy, in Image image)
    {
        SparseEntry* entry = image.ByPixel;
        int* start = image.Starts;
        uint* masks = image.Masks;
        int pitch = _inputChannels * sizeof(float);
        for (int row = 0; row < _g.OutputHeight; row++, dy += _g.OutputWidth * _outputChannels, masks += _g.OutputWidth * MasksOfPixel)
        {
            foreach (SparseColumns.Output column in _columns.Outputs)
            {
                *start++ = (int)(entry - image.ByPixel);
                float* values = dy + (column.Column * _outputChannels);
                for (int word = 0; word < MasksOfPixel; word++)
                {
                    int first = ((column.TapOffset * _outputChannels) + (32 * word)) * pitch;
                    for (uint mask = masks[(column.Column * MasksOfPixel) + word]; mask != 0; mask &= mask - 1)
                    {
                        int channel = BitOperations.TrailingZeroCount(mask);
                        *entry++ = new(first + (channel * pitch), values[(32 * word) + channel]);
                    }
                }
            }
        }

        *start = (int)(entry - image.ByPixel);
    }

    private void AddInputGradient(float* dy, in Image image, float* packed, float* dx)
    {
        ListPixels(dy, image);
        new Span<float>(dx, _g.InputPixels * _inputChannels).Clear();
        nint line = (nint)_g.InputWidth * _inputChannels, tapLine = (nint)_g.KernelWidth * _outputChannels * _inputChannels;
        Span<SparseSum> sums = stackalloc SparseSum[Math.Min(_g.InputWidth, SumsOfCall)];
        for (int channel = 0; channel < _inputChannels;)
        {
            int vectors = SparseRowKernel.Vectors((_inputChannels - channel) / TVector.Lanes);
            for (int tapRow = 0; tapRow < _g.KernelHeight; tapRow++)
            {
                (int firstRow, int endRow) = _g.ValidOutputRows(tapRow);
                for (int row = firstRow; row < endRow; row++)
                {
                    float* to = dx + (((row * _g.StrideHeight) + (tapRow * _g.DilationHeight) - _g.PadTop) * line);
                    int* starts = image.Starts + (row * _g.OutputWidth);
                    ReadOnlySpan<SparseColumns.Input> columns = _columns.Inputs;
                    while (columns.Length > 0)
                    {
                        int count = Math.Min(columns.Length, sums.Length);
                        for (int i = 0; i < count; i++)
                        {
                            SparseColumns.Input column = columns[i];
                            float* rows = packed + (tapRow * tapLine) + ((nint)column.TapBase * _outputChannels * _inputChannels);
                            sums[i] = new(to + ((nint)column.Column * _inputChannels), rows, image.ByPixel + starts[column.First], image.ByPixel + starts[column.End]);
                        }

                        SparseRowKernel.Run<TVector>(vectors, sums[..count], channel);
                        columns = columns[count..];
                    }
                }
            }

            channel += vectors * TVector.Lanes;
        }
    }

    private void AddWeightGradient(float* dy, in Image image, float* x, float* dw)
    {
        for (int first = 0; first < _g.OutputHeight; first += _bandRows)
        {
            int rows = Math.Min(_bandRows, _g.OutputHeight - first);
            ListChannels(dy, image, first, rows);
            if (_g.IsPointwise)
                AddPointwise(image, x + ((nint)first * _g.InputWidth * _inputChannels), dw);
            else
                AddBand(image, x, first, rows, dw);
        }
    }

    /// <summary>Values of a band by channels; each one's row is the pixel that the first tap sees: of the band's copy, or where there is none of the band.</summary>
    private void ListChannels(float* dy, in Image image, int firstRow, int rows)
    {
        new Span<int>(image.Counts, _outputChannels).Clear();
        int pixel = sizeof(float) * (_g.IsPointwise ? _inputChannels : TVector.Lanes);
        float* values = dy + ((nint)firstRow * _g.OutputWidth * _outputChannels);
        uint* masks = image.Masks + (firstRow * _g.OutputWidth * MasksOfPixel);
        for (int row = 0; row < rows; row++)
        {
            int offset = row * _g.StrideHeight * _copiedWidth * pixel;
            for (int column = 0; column < _g.OutputWidth; column++, offset += _g.StrideWidth * pixel, values += _outputChannels)
            {
                for (int word = 0; word < MasksOfPixel; word++)
                {
                    for (uint mask = *masks++; mask != 0; mask &= mask - 1)
                    {
                        int channel = (32 * word) + BitOperations.TrailingZeroCount(mask);
                        image.ByChannel[(channel * ChannelList) + image.Counts[channel]++] = new(offset, values[channel]);
                    }
                }
            }
        }
    }

    private void AddPointwise(in Image image, float* x, float* dw)
    {
        Span<SparseSum> sums = stackalloc SparseSum[Math.Min(_outputChannels, SumsOfCall)];
        for (int output = 0; output < _outputChannels; output += sums.Length)
        {
            int count = Math.Min(sums.Length, _outputChannels - output);
            for (int i = 0; i < count; i++)
            {
                SparseEntry* list = image.ByChannel + ((output + i) * ChannelList);
                sums[i] = new(dw + ((nint)(output + i) * _inputChannels), x, list, list + image.Counts[output + i]);
            }

            for (int channel = 0; channel < _inputChannels;)
            {
                int vectors = SparseRowKernel.Vectors((_inputChannels - channel) / TVector.Lanes);
                SparseRowKernel.Run<TVector>(vectors, sums[..count], channel);
                channel += vectors * TVector.Lanes;
            }
        }
    }

    private void AddBand(in Image image, float* x, int firstRow, int rows, float* dw)
    {
        nint tap = (nint)_inputChannels * _outputChannels, copiedLine = (nint)_copiedWidth * TVector.Lanes;
        for (int channel = 0; channel < _inputChannels; channel += TVector.Lanes)
        {
            Copy(x + channel, firstRow, rows, image.Copy);
            for (int row = 0; row < _g.KernelHeight; row += SparseTapKernel.TileRows)
            {
                for (int column = 0; column < _g.KernelWidth; column += SparseTapKernel.TileColumns)
                {
                    SparseTapKernel.Run<TVector>(
                        Math.Min(SparseTapKernel.TileRows, _g.KernelHeight - row),
                        Math.Min(SparseTapKernel.TileColumns, _g.KernelWidth - column),
                        new SparseTapKernel.Tile
                        {
                            X = image.Copy + (row * _g.DilationHeight * copiedLine) + ((nint)column * _g.DilationWidth * TVector.Lanes),
                            Tap = (nint)_g.DilationWidth * TVector.Lanes, TapRow = _g.DilationHeight * copiedLine,
                            Gradient = dw + channel + (((row * _g.KernelWidth) + column) * tap), GradientTap = tap, GradientTapRow = _g.KernelWidth * tap, GradientChannel = _inputChannels,
                            Entries = image.ByChannel, List = ChannelList, Counts = image.Counts, OutputChannels = _outputChannels,
                        });
                }
            }
        }
    }

    /// <summary>Copies a vector of channels of what some rows of outputs see, with zeros around the image, as <see cref="PaddedRow"/> does single values.</summary>
    private void Copy(float* x, int firstRow, int rows, float* to)
    {
        int top = (firstRow * _g.StrideHeight) - _g.PadTop, count = (int)_g.RowsSeen(rows);
        int left = Math.Min(_g.PadLeft, _copiedWidth), copied = Math.Min(_g.InputWidth, _copiedWidth - left), right = _copiedWidth - left - copied;
        for (int row = top; row < top + count; row++)
        {
            if (row < 0 || row >= _g.InputHeight)
            {
                to = Clear(to, _copiedWidth);
                continue;
            }

            to = Clear(to, left);
            float* from = x + ((nint)row * _g.InputWidth * _inputChannels);
            for (float* end = to + ((nint)copied * TVector.Lanes); to < end; to += TVector.Lanes, from += _inputChannels)
                TVector.Store(to, TVector.Load(from));

            to = Clear(to, right);
        }
    }

    private static float* Clear(float* to, int vectors)
    {
        for (; vectors > 0; vectors--, to += TVector.Lanes)
            TVector.Store(to, TVector.Zero);

        return to;
    }
}
