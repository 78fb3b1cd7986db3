using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a convolution, prepared for one geometry: dw [kh, kw, cin/groups, cout] += sum over output pixels of
/// x [pixel + tap, cin] * dy [pixel, cout]. Each tap visits only the pixels where it lies inside the image. The output falls into blocks of lines, and the
/// whole gradient takes in one block before the next, so that what a block reads stays in cache. Where both factors are read often
/// enough, a block's are packed first: x into panels for the rows of a tile or two, dy into a panel for one tile's columns.
/// </summary>
internal sealed unsafe class ConvolutionWeightGradient
{
    /// <summary>Up to so many input channels a tile's rows run over the taps of a kernel row as well.</summary>
    private const int FewChannels = 6;

    /// <summary>What a tile reads of a block, and a packed panel of dy, should stay in the first-level cache.</summary>
    private const int HalfCacheBytes = 16 * 1024, PanelBytes = 24 * 1024;

    /// <summary>A panel of three or four vectors: with fewer pixels, loading and storing the gradient would show, and machines with as many registers have more of that cache, or nearly as much from the next.</summary>
    private const int WidePanelBytes = 32 * 1024;

    /// <summary>A block in place: over fewer pixels loading and storing the gradient would show, over more the block leaves the cache.</summary>
    private const int LeastPixelsInPlace = 48, MostPixelsInPlace = 128;

    /// <summary>Packing pays where each value is used in so many multiply-adds; in fewer, where a block in place collides with itself in the cache.</summary>
    private const int LeastPackedUses = 256, LeastCollidingUses = 96;

    private const int LeastPackedChannels = 16;

    /// <summary>From this size of x and dy on, the next block is asked for while one is computed. Calls see a part of a batch.</summary>
    public const int FetchedBytes = 512 * 1024;

    /// <summary>A larger gradient needs the second-level cache for itself.</summary>
    private const int LargestFetchingGradient = 768 * 1024;

    /// <summary>A block whose packed input would be longer (a very wide image, a far dilation) is read in place.</summary>
    private const long MostPackedInput = 1 << 20;

    private readonly Conv2DGeometry _g;
    private readonly WindowRun[] _columns;
    private readonly int _inputChannels, _outputChannels, _groups;

    public ConvolutionWeightGradient(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
    {
        // To a pointwise convolution each pixel is a line of its own, so that blocks may run over images.
        _g = geometry.IsPointwise ? new(geometry.InputPixels, 1, 1, 1, 1, Padding.Valid) : geometry;
        _columns = WindowAxis.ForwardColumns(_g);
        (_inputChannels, _outputChannels, _groups) = (inputChannels, outputChannels, groups);
    }

    private int InputGroup => _inputChannels / _groups;

    private int OutputGroup => _outputChannels / _groups;

    private bool TapsFollow => _g.KernelWidth > 1 && (InputGroup == 1 || (_groups == 1 && _g.DilationWidth == 1 && InputGroup <= FewChannels));

    /// <summary>Some lines of dy and the input rows they see, for one group: where they lie and what they add to.</summary>
    private struct Block
    {
        /// <summary>Rows of the input and lines of the output; and the block's lines.</summary>
        public int InputRows, OutputRows, FirstLine, EndLine;

        /// <summary>x from row FirstRow on; floats from a pixel to the next, and from a panel of channels to the next where they are packed, each of up to so many.</summary>
        public float* Input;
        public int FirstRow;
        public nint InputPixel, InputPanel;
        public int PanelRows;

        /// <summary>dy from the block's first line on, and floats from a pixel to the next.</summary>
        public float* Output;
        public nint OutputPixel;

        /// <summary>The gradient's first row, from the same channel of dy on, and how many channels.</summary>
        public float* Gradient;
        public int Channels;

        /// <summary>As many zeros as a tile has channels where the gradient begins with this block; else null.</summary>
        public float* Zeros;

        /// <summary>What is asked for while the block is computed; null for nothing.</summary>
        public FetchQueue* Ahead;
    }

    /// <summary>Floats of scratch that <see cref="Run"/> needs.</summary>
    public int ScratchLength<TVector>()
        where TVector : struct, IVector<TVector>
    {
        int longest = 0;
        for (int columns = 1; Packs<TVector>() && columns <= ConvolutionMicroKernel.MaximumColumns<TVector>(); columns++)
            longest = Math.Max(longest, checked((int)PackedInputLength<TVector>(columns) + (PackedLines<TVector>(columns) * _g.OutputWidth * columns * TVector.Lanes)));

        return longest;
    }

    /// <summary>The vectors of a group's output channels, by the columns of a tile: no tile so wide that a share is left without one.</summary>
    private TileRows Columns<TVector>(int shares)
        where TVector : struct, IVector<TVector>
    {
        int vectors = (OutputGroup + TVector.Lanes - 1) / TVector.Lanes;
        return new(vectors, Math.Min(ConvolutionMicroKernel.MaximumColumns<TVector>(), (vectors + shares - 1) / shares));
    }

    private TileRows Panels<TVector>(int columns)
        where TVector : struct, IVector<TVector> => new(InputGroup, WeightGradientMicroKernel.PanelRows<TVector>(columns));

    private static int PanelWidth<TVector>(int columns)
        where TVector : struct, IVector<TVector> => PanelPacking.Width<TVector>(WeightGradientMicroKernel.PanelRows<TVector>(columns));

    /// <summary>Whether every block reaches the whole gradient, so that the first one can begin it: no tap is ever outside the image.</summary>
    public bool CanBegin => _g.IsPointwise;

    /// <summary>Adds the gradient of some images to <paramref name="dw"/>, or to a share of each group's output channels; or writes it, where it begins with them. Tiles of a pointwise convolution ask meanwhile for what is in a queue.</summary>
    public void Run<TVector>(float* x, float* dy, float* dw, float* scratch, int images, Share share, bool begins, FetchQueue* ahead = null)
        where TVector : struct, IVector<TVector>
    {
        TileRows columns = Columns<TVector>(share.Count);
        (int firstColumn, int endColumn) = share.Of(columns.Tiles);
        if (firstColumn == endColumn)
            return;

        bool packs = Packs<TVector>();
        int most = packs ? PackedLines<TVector>(columns.RowsOf(0)) : LinesInPlace;
        int together = _g.IsPointwise ? images : 1;
        int zeroCount = ConvolutionMicroKernel.MaximumColumns<TVector>() * TVector.Lanes;
        float* zeros = stackalloc float[zeroCount];
        new Span<float>(zeros, zeroCount).Clear();
        var block = new Block { InputRows = _g.InputHeight * together, OutputRows = _g.OutputHeight * together };
        int blocks = (block.OutputRows + most - 1) / most;
        FetchQueue own = default;
        bool fetches = Fetches(block.OutputRows);
        if (fetches)
        {
            block.Ahead = &own;
        }
        else if (ahead != null && CanAsk)
        {
            block.Ahead = ahead;
            ahead->Spread(Turns<TVector>(block.OutputRows, columns, endColumn - firstColumn));
        }

        for (int image = 0; image < images; image += together)
        {
            for (int i = 0; i < blocks; i++)
            {
                block.Zeros = begins && image == 0 && i == 0 ? zeros : null;
                block.FirstLine = (int)((long)block.OutputRows * i / blocks);
                block.EndLine = (int)((long)block.OutputRows * (i + 1) / blocks);
                if (fetches)
                    Ask<TVector>(block, x, dy, (int)((long)block.OutputRows * (i + 2) / blocks), columns, endColumn - firstColumn);

                for (int group = 0; group < _groups; group++)
                {
                    float* groupX = x + (group * InputGroup), groupDy = dy + (group * OutputGroup);
                    block.Gradient = dw + (group * OutputGroup);
                    if (packs)
                        Packed<TVector>(block, groupX, groupDy, scratch, columns, firstColumn, endColumn);
                    else
                        InPlace<TVector>(block, groupX, groupDy, columns, firstColumn, endColumn);
                }
            }

            x += (nint)_g.InputPixels * _inputChannels;
            dy += (nint)_g.OutputPixels * _outputChannels;
        }
    }

    /// <summary>Whether <see cref="Run"/> takes from a queue.</summary>
    private bool CanAsk => Prefetch.IsSupported && _g.IsPointwise && _groups == 1;

    /// <summary>Whether so many pixels outgrow the caches, and are asked for here.</summary>
    private bool Fetches(int pixels) => CanAsk && pixels * ((long)_inputChannels + _outputChannels) * sizeof(float) >= FetchedBytes
        && (long)_inputChannels * _outputChannels * sizeof(float) <= LargestFetchingGradient;

    /// <summary>Has a block's tiles ask for the next one, which ends at a line.</summary>
    private void Ask<TVector>(in Block block, float* x, float* dy, int end, TileRows columns, int columnTiles)
        where TVector : struct, IVector<TVector>
    {
        int pixels = Math.Min(end, block.OutputRows) - block.EndLine;
        block.Ahead->Clear();
        block.Ahead->Add(x + ((nint)block.EndLine * _inputChannels), (nint)pixels * _inputChannels);
        block.Ahead->Add(dy + ((nint)block.EndLine * _outputChannels), (nint)pixels * _outputChannels);
        block.Ahead->Spread(Turns<TVector>(block.EndLine - block.FirstLine, columns, columnTiles));
    }

    /// <summary>Turns of the innermost loop for some pixels of a pointwise convolution.</summary>
    private long Turns<TVector>(int pixels, TileRows columns, int columnTiles)
        where TVector : struct, IVector<TVector>
    {
        int tileRows = WeightGradientMicroKernel.MaximumRows<TVector>(columns.RowsOf(0));
        return (long)pixels * columnTiles * ((InputGroup + tileRows - 1) / tileRows);
    }

    private bool Packs<TVector>()
        where TVector : struct, IVector<TVector>
    {
        double uses = Math.Min(InputGroup, OutputGroup) * (double)(_g.KernelHeight * _g.KernelWidth) / (_g.StrideHeight * _g.StrideWidth);
        int least = PixelsInPlace < LeastPixelsInPlace ? LeastCollidingUses : LeastPackedUses;
        return Math.Min(InputGroup, OutputGroup) >= LeastPackedChannels && uses >= least && PackedInputLength<TVector>(columns: 1) <= MostPackedInput;
    }

    /// <summary>
    /// Pixels of which half of the cache holds a line each. They are evenly spaced: where the distance holds a large power of two, they
    /// fall on few of the cache's sets.
    /// </summary>
    private int PixelsInPlace => HalfCacheBytes / (sizeof(float) * Math.Max(_inputChannels & -_inputChannels, _outputChannels & -_outputChannels));

    private int LinesInPlace =>
        TapsFollow ? _g.OutputHeight : Math.Max(1, Math.Clamp(PixelsInPlace, LeastPixelsInPlace, MostPixelsInPlace) / _g.OutputWidth);

    /// <summary>Output lines of a block where tiles have up to so many columns.</summary>
    private int PackedLines<TVector>(int columns)
        where TVector : struct, IVector<TVector>
    {
        int pixels = columns > 2 ? WidePanelBytes / (sizeof(float) * columns * TVector.Lanes) : PanelBytes / (sizeof(float) * 2 * TVector.Lanes);
        int lines = Math.Max(1, pixels / _g.OutputWidth);
        return _g.IsPointwise ? lines : Math.Min(lines, _g.OutputHeight);
    }

    private long PackedInputLength<TVector>(int columns)
        where TVector : struct, IVector<TVector>
    {
        long rows = _g.RowsSeen(PackedLines<TVector>(columns));
        if (!_g.IsPointwise)
            rows = Math.Min(rows, _g.InputHeight);

        return Panels<TVector>(columns).Tiles * PanelPacking.RowPanel(rows * _g.InputWidth, PanelWidth<TVector>(columns));
    }

    private void InPlace<TVector>(Block block, float* x, float* dy, TileRows columns, int firstColumn, int endColumn)
        where TVector : struct, IVector<TVector>
    {
        block.Input = x;
        (block.InputPixel, block.OutputPixel) = (_inputChannels, _outputChannels);
        float* lines = dy + ((nint)block.FirstLine * _g.OutputWidth * _outputChannels), gradient = block.Gradient;
        for (int column = firstColumn; column < endColumn; column++)
        {
            int channel = columns.Start(column) * TVector.Lanes;
            block.Output = lines + channel;
            block.Gradient = gradient + channel;
            block.Channels = Math.Min(columns.RowsOf(column) * TVector.Lanes, OutputGroup - channel);
            EachTap<TVector>(block);
        }
    }

    private void Packed<TVector>(Block block, float* x, float* dy, float* scratch, TileRows columns, int firstColumn, int endColumn)
        where TVector : struct, IVector<TVector>
    {
        int origin = (block.FirstLine * _g.StrideHeight) - _g.PadTop, lines = block.EndLine - block.FirstLine;
        int end = origin + ((lines - 1) * _g.StrideHeight) + ((_g.KernelHeight - 1) * _g.DilationHeight) + 1;
        block.FirstRow = Math.Clamp(origin, 0, block.InputRows);
        int pixels = (Math.Clamp(end, block.FirstRow, block.InputRows) - block.FirstRow) * _g.InputWidth;
        int widest = columns.RowsOf(0), width = PanelWidth<TVector>(widest);
        PanelPacking.PackRows<TVector>(x + ((nint)block.FirstRow * _g.InputWidth * _inputChannels), _inputChannels, scratch, width, pixels, InputGroup, Panels<TVector>(widest));
        block.Input = scratch;
        block.InputPixel = width;
        block.InputPanel = (nint)PanelPacking.RowPanel(pixels, width);
        block.PanelRows = WeightGradientMicroKernel.PanelRows<TVector>(widest);

        float* panel = scratch + PackedInputLength<TVector>(widest);
        float* from = dy + ((nint)block.FirstLine * _g.OutputWidth * _outputChannels), gradient = block.Gradient;
        block.Output = panel;
        for (int column = firstColumn; column < endColumn; column++)
        {
            int channel = columns.Start(column) * TVector.Lanes;
            block.Gradient = gradient + channel;
            block.Channels = Math.Min(columns.RowsOf(column) * TVector.Lanes, OutputGroup - channel);
            block.OutputPixel = PanelPacking.Width<TVector>(block.Channels);
            PanelPacking.Copy<TVector>(from + channel, _outputChannels, panel, block.OutputPixel, lines * _g.OutputWidth, block.Channels);
            EachTap<TVector>(block);
        }
    }

    private void EachTap<TVector>(in Block block)
        where TVector : struct, IVector<TVector>
    {
        for (int tapRow = 0; tapRow < _g.KernelHeight; tapRow++)
        {
            (int first, int end) = Conv2DGeometry.ValidOutputs(tapRow, _g.StrideHeight, _g.DilationHeight, _g.PadTop, block.InputRows, block.OutputRows);
            (first, end) = (Math.Max(first, block.FirstLine), Math.Min(end, block.EndLine));
            if (first >= end)
                continue;

            if (TapsFollow)
                KernelRow<TVector>(block, tapRow, first, end);
            else
                KernelTaps<TVector>(block, tapRow, first, end);
        }
    }

    private void KernelTaps<TVector>(in Block block, int tapRow, int firstLine, int endLine)
        where TVector : struct, IVector<TVector>
    {
        for (int tapColumn = 0; tapColumn < _g.KernelWidth; tapColumn++)
        {
            (int first, int end) = _g.ValidOutputColumns(tapColumn);
            if (first < end)
                Tap<TVector>(block, tapRow, tapColumn, firstLine, endLine, first, end, InputGroup, leftRow: 1);
        }
    }

    /// <summary>All taps of a kernel row at once, over each run of columns that shares them.</summary>
    private void KernelRow<TVector>(in Block block, int tapRow, int firstLine, int endLine)
        where TVector : struct, IVector<TVector>
    {
        nint leftRow = InputGroup == 1 ? (nint)_g.DilationWidth * _inputChannels : 1;
        foreach (ref readonly WindowRun run in _columns.AsSpan())
        {
            if (run.Taps > 0)
                Tap<TVector>(block, tapRow, run.FirstTap, firstLine, endLine, run.First, run.First + run.Count, run.Taps * InputGroup, leftRow);
        }
    }

    /// <summary>Some rows of the gradient from a tap on, over a rectangle of output pixels.</summary>
    private void Tap<TVector>(
        in Block block, int tapRow, int tapColumn, int firstLine, int endLine, int firstColumn, int endColumn, int rows, nint leftRow)
        where TVector : struct, IVector<TVector>
    {
        int inputRow = (firstLine * _g.StrideHeight) - _g.PadTop + (tapRow * _g.DilationHeight) - block.FirstRow;
        int inputColumn = (firstColumn * _g.StrideWidth) - _g.PadLeft + (tapColumn * _g.DilationWidth);
        var tile = new WeightGradientTile
        {
            Left = block.Input + ((((nint)inputRow * _g.InputWidth) + inputColumn) * block.InputPixel),
            LeftRow = leftRow,
            LeftPixel = _g.StrideWidth * block.InputPixel,
            LeftLine = (nint)_g.StrideHeight * _g.InputWidth * block.InputPixel,
            LeftPanel = block.InputPanel,
            PanelRows = block.PanelRows,
            Right = block.Output + ((((nint)(firstLine - block.FirstLine) * _g.OutputWidth) + firstColumn) * block.OutputPixel),
            RightPixel = block.OutputPixel,
            RightLine = _g.OutputWidth * block.OutputPixel,
            Pixels = endColumn - firstColumn,
            Lines = endLine - firstLine,
            Gradient = block.Gradient + (((nint)tapRow * _g.KernelWidth) + tapColumn) * InputGroup * _outputChannels,
            GradientRow = _outputChannels,
            Zeros = block.Zeros,
            Channels = block.Channels,
            Ahead = block.Ahead,
        };
        if (tile.LeftLine == tile.Pixels * tile.LeftPixel && tile.RightLine == tile.Pixels * tile.RightPixel)
            (tile.Pixels, tile.Lines) = (tile.Pixels * tile.Lines, 1);

        if (_outputChannels > 1 || leftRow > 1)
        {
            WeightGradientMicroKernel.Run<TVector>(rows, tile);
            return;
        }

        // One output: lanes run over the input's channels instead.
        float* exchanged = tile.Left;
        tile.Left = tile.Right;
        tile.Right = exchanged;
        (tile.LeftPixel, tile.RightPixel) = (tile.RightPixel, tile.LeftPixel);
        (tile.LeftLine, tile.RightLine) = (tile.RightLine, tile.LeftLine);
        for (int column = 0; column < rows; column += 2 * TVector.Lanes)
        {
            tile.Channels = Math.Min(2 * TVector.Lanes, rows - column);
            WeightGradientMicroKernel.Run<TVector>(1, tile);
            tile.Right += tile.Channels;
            tile.Gradient += tile.Channels;
        }
    }
}
