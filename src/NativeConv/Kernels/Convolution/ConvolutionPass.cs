using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// One direction of a convolution, prepared for one geometry: forward, or its input gradient, which is a convolution of dy with
/// flipped taps. Source is [images, SourceHeight, SourceWidth, SourceChannels] and result likewise; channels fall into groups.
/// Immutable and shared by all workers.
/// </summary>
internal sealed unsafe class ConvolutionPass
{
    /// <summary>What of a segment's input should stay in the first-level cache while the blocks of weights pass over it.</summary>
    private const int SegmentBytes = 16 * 1024;

    /// <summary>Weights above this share the second-level cache with a longer segment, so that they are brought from further away less often.</summary>
    private const int LargeWeights = 192 * 1024, LongSegmentBytes = 64 * 1024;

    /// <summary>Weights above this do not stay in the second-level cache: segments as long as fit it pass over them less often, and a pointwise pass asks for each block of them while it uses the one before.</summary>
    private const int HugeWeights = 1024 * 1024, LongestSegmentBytes = 256 * 1024;

    /// <summary>From this size of source and results on, a pointwise pass asks for the next segment while one is computed.</summary>
    public const int FetchedBytes = 2 * 1024 * 1024;

    private const int PackedSquare = 16;

    private readonly WindowRun[] _rows, _columns;
    private readonly int _sourceHeight, _sourceWidth, _resultHeight, _resultWidth, _taps, _kernelWidth;
    private readonly bool _transposed;
    private readonly Rectifier _rectifier;

    private ConvolutionPass(in Conv2DGeometry g, int inputChannels, int outputChannels, int groups, bool transposed, Rectifier rectifier)
    {
        _rectifier = rectifier;
        _transposed = transposed;
        _rows = transposed ? WindowAxis.BackwardRows(g) : WindowAxis.ForwardRows(g);
        _columns = transposed ? WindowAxis.BackwardColumns(g) : WindowAxis.ForwardColumns(g);
        _sourceHeight = transposed ? g.OutputHeight : g.InputHeight;
        _sourceWidth = transposed ? g.OutputWidth : g.InputWidth;
        _resultHeight = transposed ? g.InputHeight : g.OutputHeight;
        _resultWidth = transposed ? g.InputWidth : g.OutputWidth;
        SourceChannels = transposed ? outputChannels : inputChannels;
        ResultChannels = transposed ? inputChannels : outputChannels;
        Groups = groups;
        _kernelWidth = g.KernelWidth;
        _taps = g.KernelHeight * g.KernelWidth;
    }

    public static ConvolutionPass Forward(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups, Rectifier rectifier = default) =>
        new(geometry, inputChannels, outputChannels, groups, transposed: false, rectifier);

    public static ConvolutionPass BackwardInput(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        new(geometry, inputChannels, outputChannels, groups, transposed: true, default);

    public int SourceChannels { get; }

    public int ResultChannels { get; }

    public int Groups { get; }

    private int SourceGroup => SourceChannels / Groups;

    private int ResultGroup => ResultChannels / Groups;

    private Part AllResults<TVector>()
        where TVector : struct, IVector<TVector>
    {
        TileRows blocks = Blocks<TVector>(ConvolutionMicroKernel.MaximumColumns<TVector>());
        return new(0, Groups, 0, blocks.Tiles, blocks);
    }

    private long SourceLength => (long)_sourceHeight * _sourceWidth * SourceChannels;

    private long ResultLength => (long)_resultHeight * _resultWidth * ResultChannels;

    /// <summary>Too few results for lanes to be outputs, and enough sources for lanes to be those: a dot product instead.</summary>
    private bool IsDot => ResultGroup <= DotKernel.MostOutputs && SourceGroup >= DotKernel.VirtualLanes;

    /// <summary>Floats that the packed weights need.</summary>
    public int PackedLength<TVector>()
        where TVector : struct, IVector<TVector>
    {
        int rows = (_taps * SourceGroup) + 1;
        return checked(Groups * (IsDot ? ResultGroup : PaddedGroup<TVector>()) * rows);
    }

    private int PaddedGroup<TVector>()
        where TVector : struct, IVector<TVector> => Vectors<TVector>() * TVector.Lanes;

    private int Vectors<TVector>()
        where TVector : struct, IVector<TVector> => (ResultGroup + TVector.Lanes - 1) / TVector.Lanes;

    /// <summary>A group's vectors of results by blocks, which are packed and computed together, each of up to so many vectors.</summary>
    private TileRows Blocks<TVector>(int most)
        where TVector : struct, IVector<TVector> => new(Vectors<TVector>(), most);

    /// <summary>
    /// Packs weights [kh, kw, cin/groups, cout] and the biases (or zeros) for <see cref="Run"/>: for each group and block of a few vectors of
    /// results the biases, then a row for each tap and source channel, padded with zeros to whole vectors. A dot product's weights
    /// are a row for each result: taps and source channels, then the bias. A share packs its blocks.
    /// </summary>
    public void Pack<TVector>(float* weights, float* bias, float* packed, Share share)
        where TVector : struct, IVector<TVector>
    {
        int source = SourceGroup, result = ResultGroup, depth = (_taps * source) + 1;
        int groupStride = _transposed ? source : result;
        TileRows blocks = AllResults<TVector>().Blocks;
        (int first, int end) = share.Of(blocks.Tiles);
        for (int group = 0; group < Groups; group++)
        {
            float* groupWeights = weights + (group * groupStride);
            float* groupBias = bias == null ? null : bias + (group * result);
            if (IsDot)
            {
                if (share.Index == 0)
                    PackDot(groupWeights, groupBias, packed + ((nint)group * result * depth));

                continue;
            }

            float* groupPacked = packed + ((nint)group * PaddedGroup<TVector>() * depth);
            for (int block = first; block < end; block++)
            {
                int channel = blocks.Start(block) * TVector.Lanes;
                PackBlock<TVector>(groupWeights, groupBias, groupPacked + ((nint)channel * depth), channel, blocks.RowsOf(block) * TVector.Lanes);
            }
        }
    }

    /// <summary>Floats of the weights of one block of results, for <see cref="RunUnpacked"/>; 0 where that is not offered.</summary>
    public int PanelLength<TVector>()
        where TVector : struct, IVector<TVector> => IsDot ? 0 : checked(AllResults<TVector>().Blocks.RowsOf(0) * TVector.Lanes * ((_taps * SourceGroup) + 1));

    /// <summary>
    /// Writes the results of some images, or a share of their channels, from weights as they are stored: a block of them is packed to <paramref name="panel"/>, where all pixels
    /// use it before the next. For few pixels, which use each weight a few times only: a packed copy of all weights would leave the cache before it is read. The same bits as <see cref="Run"/>.
    /// </summary>
    public void RunUnpacked<TVector>(float* source, float* weights, float* bias, float* result, float* panel, int images, Share share)
        where TVector : struct, IVector<TVector>
    {
        int depth = (_taps * SourceGroup) + 1;
        // No block so wide that a share is left without one.
        int vectors = Groups * Vectors<TVector>();
        TileRows blocks = Blocks<TVector>(Math.Min(ConvolutionMicroKernel.MaximumColumns<TVector>(), (vectors + share.Count - 1) / share.Count));
        (int first, int end) = share.Of(Groups * blocks.Tiles);
        for (int item = first; item < end; item++)
        {
            (int group, int block) = Math.DivRem(item, blocks.Tiles);
            var part = new Part(group, group + 1, block, block + 1, blocks);
            int channel = blocks.Start(block) * TVector.Lanes;
            float* groupWeights = weights + (group * (_transposed ? SourceGroup : ResultGroup));
            PackBlock<TVector>(groupWeights, bias == null ? null : bias + (group * ResultGroup), panel, channel, blocks.RowsOf(block) * TVector.Lanes);
            float* packed = panel - ((nint)((group * PaddedGroup<TVector>()) + channel) * depth);
            RunImages<TVector>(source, packed, result, images, Share.All, part);
        }
    }

    /// <summary>Strides of the weights as stored, whose last axis is the layer's outputs whichever way the pass runs: from tap to tap, and by source and result channel.</summary>
    private (nint Tap, nint Source, nint Result) WeightStrides
    {
        get
        {
            nint outputs = _transposed ? SourceChannels : ResultChannels;
            return _transposed ? (ResultGroup * outputs, 1, outputs) : (SourceGroup * outputs, outputs, 1);
        }
    }

    private void PackDot(float* weights, float* bias, float* packed)
    {
        (nint tapStride, nint sourceStride, nint resultStride) = WeightStrides;
        for (int r = 0; r < ResultGroup; r++)
        {
            for (int tap = 0; tap < _taps; tap++)
            {
                for (int s = 0; s < SourceGroup; s++)
                    *packed++ = weights[(tap * tapStride) + (s * sourceStride) + (r * resultStride)];
            }

            *packed++ = bias == null ? 0 : bias[r];
        }
    }

    /// <summary>The block of a width that begins with a channel of results.</summary>
    private void PackBlock<TVector>(float* weights, float* bias, float* packed, int channel, int width)
        where TVector : struct, IVector<TVector>
    {
        (nint tapStride, nint sourceStride, nint resultStride) = WeightStrides;
        int source = SourceGroup, exist = Math.Min(width, ResultGroup - channel);
        var to = new Span<float>(packed, width);
        to.Clear();
        if (bias != null)
            new Span<float>(bias + channel, exist).CopyTo(to);

        packed += width;
        for (int tap = 0; tap < _taps; tap++)
        {
            float* from = weights + (tap * tapStride) + (channel * resultStride);
            if (_transposed)
            {
                if (exist < width)
                    new Span<float>(packed, source * width).Clear();

                // By squares that fit a few lines, for what follows in memory goes across.
                for (int s = 0; s < source; s += PackedSquare)
                    Transposition.Run(from + s, resultStride, packed + ((nint)s * width), width, exist, Math.Min(PackedSquare, source - s));
            }
            else
            {
                PanelPacking.Copy<TVector>(from, sourceStride, packed, width, source, exist);
            }

            packed += (nint)source * width;
        }
    }

    /// <summary>Whether <see cref="Run"/> takes from a queue: huge weights need the turns for themselves.</summary>
    public bool CanAsk => HasAskingTiles && ImagesFollow && !IsDot && !HasHugeWeights;

    /// <summary>Writes the results of some images, or a share of their rows. A whole share asks meanwhile for what is in a queue.</summary>
    public void Run<TVector>(float* source, float* packed, float* result, int images, Share share, FetchQueue* ahead = null)
        where TVector : struct, IVector<TVector>
    {
        if (IsDot && share.Index > 0)
            return;

        if (IsDot)
        {
            RunDot<TVector>(source, packed, result, images);
            _rectifier.Run<TVector>(result, (nint)(images * ResultLength));
            return;
        }

        if (!CanAsk)
            ahead = null;

        if (ahead != null)
        {
            TileRows blocks = AllResults<TVector>().Blocks;
            long pixels = (long)images * _resultHeight * _resultWidth, tileRows = ConvolutionMicroKernel.MaximumRows<TVector>(blocks.RowsOf(0));
            ahead->Spread((pixels + tileRows - 1) / tileRows * blocks.Tiles * SourceChannels);
        }

        RunImages<TVector>(source, packed, result, images, share, AllResults<TVector>(), ahead);
    }

    private void RunImages<TVector>(float* source, float* packed, float* result, int images, Share share, in Part part, FetchQueue* ahead = null)
        where TVector : struct, IVector<TVector>
    {
        if (share.Count == 1 && ImagesFollow)
        {
            Rectangle<TVector>(source, packed, result, _rows[0] with { Count = _rows[0].Count * images }, _columns[0], part, ahead);
            return;
        }

        for (int image = 0; image < images; image++)
        {
            foreach (ref readonly WindowRun rows in _rows.AsSpan())
            {
                WindowRun own = rows.Slice(share);
                if (own.Count == 0)
                    continue;

                foreach (ref readonly WindowRun columns in _columns.AsSpan())
                    Rectangle<TVector>(source, packed, result, own, columns, part);
            }

            source += SourceLength;
            result += ResultLength;
        }
    }

    /// <summary>Whether each row of results reads a source row of its own: pointwise, without a stride.</summary>
    public int OwnRows => CanRunRows && _taps == 1 && _rows is [{ FirstTap: 0, Source: 0, SourceStep: 1 }] && _sourceHeight == _resultHeight ? 1 : 0;

    public bool CanRunRows => !IsDot;

    /// <summary>Writes rows of one image's result, first up to end.</summary>
    public void RunRows<TVector>(float* source, float* packed, float* result, int first, int end)
        where TVector : struct, IVector<TVector>
    {
        foreach (ref readonly WindowRun rows in _rows.AsSpan())
        {
            WindowRun own = rows.Between(first, end);
            if (own.Count == 0)
                continue;

            foreach (ref readonly WindowRun columns in _columns.AsSpan())
                Rectangle<TVector>(source, packed, result, own, columns, AllResults<TVector>());
        }
    }

    /// <summary>Whether pixels follow each other evenly over whole images, which are one long line then.</summary>
    private bool ImagesFollow => _rows is [var rows] && _columns is [var columns] && LinesFollow(rows, columns)
        && rows.Count * rows.SourceStep == _sourceHeight && rows.Count * rows.Step == _resultHeight;

    /// <summary>The same over the rows of an image.</summary>
    private bool LinesFollow(in WindowRun rows, in WindowRun columns) =>
        columns.Count * columns.SourceStep == rows.SourceStep * _sourceWidth && columns.Count * columns.Step == rows.Step * _resultWidth;

    /// <summary>Some channels of the results of a rectangle of pixels that share their taps; the weights' address is that of the first group's first block.</summary>
    private void Rectangle<TVector>(float* source, float* packed, float* result, in WindowRun rows, in WindowRun columns, in Part part, FetchQueue* ahead = null)
        where TVector : struct, IVector<TVector>
    {
        long sourceRow = (long)_sourceWidth * SourceChannels, resultRow = (long)_resultWidth * ResultChannels;
        float* x = source;
        if (rows.Taps > 0 && columns.Taps > 0)
            x += (rows.Source * sourceRow) + ((long)columns.Source * SourceChannels);

        float* y = result + (rows.First * resultRow) + ((long)columns.First * ResultChannels);
        nint xLine = (nint)(rows.SourceStep * sourceRow), xPixel = (nint)columns.SourceStep * SourceChannels;
        nint yLine = (nint)(rows.Step * resultRow), yPixel = (nint)columns.Step * ResultChannels;
        int lines = rows.Count, pixels = columns.Count, most = ConvolutionMicroKernel.MaximumRows<TVector>(part.Blocks.RowsOf(0));
        if (LinesFollow(rows, columns))
        {
            pixels *= lines;
            lines = 1;
        }
        else if (Fill(pixels, most) < Math.Min(0.8, Fill(lines, most)))
        {
            (lines, pixels) = (pixels, lines);
            (xLine, xPixel) = (xPixel, xLine);
            (yLine, yPixel) = (yPixel, yLine);
        }

        int paddedGroup = PaddedGroup<TVector>();
        int sourceGroup = SourceGroup, resultGroup = ResultGroup;
        int depth = (_taps * sourceGroup) + 1;
        bool empty = rows.Taps == 0 || columns.Taps == 0;
        var tile = new ConvolutionTile
        {
            InputStride = xPixel,
            OutputStride = yPixel,
            TapRows = empty ? 0 : rows.Taps,
            TapColumns = columns.Taps,
            InputTapRow = (nint)(rows.SourceTapStep * sourceRow),
            InputTapColumn = (nint)columns.SourceTapStep * SourceChannels,
            Channels = sourceGroup,
            ChannelStep = 1,
            Rectifier = _rectifier,
            Ahead = ahead,
        };
        // Where the taps of a kernel row are evenly spaced, channels included, they are one run of channels.
        bool tapsFollow = columns.TapStep == 1 && (sourceGroup == 1 || columns.SourceTapStep * SourceChannels == sourceGroup);
        if (tapsFollow)
        {
            tile.ChannelStep = sourceGroup == 1 ? tile.InputTapColumn : 1;
            tile.Channels *= tile.TapColumns;
            tile.TapColumns = 1;
        }

        tile.InputLine = xLine;
        tile.OutputLine = yLine;
        bool fetches = lines == 1 && Fetches(tile, pixels, part);
        var split = new TileRows(pixels, most);
        for (int group = part.FirstGroup; group < part.EndGroup; group++)
        {
            float* groupWeights = packed + ((long)group * paddedGroup * depth);
            float* groupX = x + (group * sourceGroup), groupY = y + (group * resultGroup);
            Tiles<TVector>(tile, rows, columns, groupX, groupY, groupWeights, split.Short + 1, split.Long, lines, part, fetches);
            nint longPixels = (nint)split.Long * (split.Short + 1);
            Tiles<TVector>(tile, rows, columns, groupX + (longPixels * xPixel), groupY + (longPixels * yPixel), groupWeights, split.Short, split.Tiles - split.Long, lines, part, fetches);
        }
    }

    /// <summary>How full the tiles of a run of pixels are, each of up to so many.</summary>
    private static double Fill(int pixels, int most) => pixels / (double)((pixels + most - 1) / most * most);

    /// <summary>Tiles of as many pixels each, in every line: a segment of input at a time, all weights over it.</summary>
    private void Tiles<TVector>(
        ConvolutionTile tile, in WindowRun rows, in WindowRun columns, float* x, float* y, float* weights, int tileRows, int tiles, int lines, in Part part, bool fetches)
        where TVector : struct, IVector<TVector>
    {
        if (tiles == 0)
            return;

        int segmentBytes = HasHugeWeights ? LongestSegmentBytes : WeightBytes > LargeWeights ? LongSegmentBytes : SegmentBytes;
        int segment = Math.Max(1, segmentBytes / (sizeof(float) * tileRows * SourceGroup));
        int segmentTiles = Math.Min(tiles, segment), segmentLines = segment / segmentTiles;
        bool asks = fetches || (HasHugeWeights && HasAskingTiles && part.IsWhole);
        FetchQueue ahead = default;
        if (asks)
            tile.Ahead = &ahead;

        for (int line = 0; line < lines; line += segmentLines)
        {
            tile.Lines = Math.Min(segmentLines, lines - line);
            for (int first = 0; first < tiles; first += segmentTiles)
            {
                tile.Tiles = Math.Min(segmentTiles, tiles - first);
                tile.Input = x + (line * tile.InputLine) + ((nint)first * tileRows * tile.InputStride);
                tile.Output = y + (line * tile.OutputLine) + ((nint)first * tileRows * tile.OutputStride);
                nint done = (nint)tile.Tiles * tileRows;
                var next = new Pixels(tile.Input + (done * tile.InputStride), tile.Output + (done * tile.OutputStride), fetches ? Math.Min(segmentTiles, tiles - first - tile.Tiles) * tileRows : 0);
                Blocks<TVector>(tile, rows, columns, weights, tileRows, part, asks, next);
            }
        }
    }

    /// <summary>Whether some pixels outgrow the caches and follow each other in memory, of which all channels are read and written, once.</summary>
    private bool Fetches(in ConvolutionTile tile, int pixels, in Part part) =>
        HasAskingTiles && part.IsWhole && tile.InputStride == SourceChannels && tile.OutputStride == ResultChannels && pixels * ((long)SourceChannels + ResultChannels) * sizeof(float) >= FetchedBytes;

    /// <summary>Of one group.</summary>
    private long WeightBytes => (long)sizeof(float) * _taps * SourceGroup * ResultGroup;

    private bool HasHugeWeights => WeightBytes > HugeWeights;

    /// <summary>Whether tiles have the one tap with which they can ask for memory.</summary>
    private bool HasAskingTiles => Prefetch.IsSupported && _taps == 1 && Groups == 1;

    /// <summary>Has a segment's tiles ask for the pixels that come next; or, where weights are huge, a block's for the next block's and for a share of those pixels.</summary>
    private void Ask<TVector>(in ConvolutionTile tile, float* weights, in Pixels next, int block, TileRows blocks)
        where TVector : struct, IVector<TVector>
    {
        if (block > 0 && !HasHugeWeights)
            return;

        (int first, int end) = HasHugeWeights ? new Share(block, blocks.Tiles).Of(next.Count) : (0, next.Count);
        tile.Ahead->Clear();
        if (HasHugeWeights)
        {
            // After the last block the first: of the next segment, or of the images after these.
            int depth = SourceGroup + 1, following = block + 1 < blocks.Tiles ? block + 1 : 0;
            tile.Ahead->Add(weights + ((nint)blocks.Start(following) * TVector.Lanes * depth), (nint)blocks.RowsOf(following) * TVector.Lanes * depth);
        }

        tile.Ahead->Add(next.Source + ((nint)first * SourceChannels), (nint)(end - first) * SourceChannels);
        tile.Ahead->Add(next.Result + ((nint)first * ResultChannels), (nint)(end - first) * ResultChannels);
        tile.Ahead->Spread((long)tile.Lines * tile.Tiles * tile.Channels * (HasHugeWeights ? 1 : blocks.Tiles));
    }

    /// <summary>The blocks of a part's results for some tiles.</summary>
    private void Blocks<TVector>(ConvolutionTile tile, in WindowRun rows, in WindowRun columns, float* weights, int tileRows, in Part part, bool asks, in Pixels next)
        where TVector : struct, IVector<TVector>
    {
        int sourceGroup = SourceGroup, depth = (_taps * sourceGroup) + 1;
        TileRows blocks = part.Blocks;
        int channel = blocks.Start(part.First) * TVector.Lanes;
        tile.Weights = weights + ((nint)channel * depth);
        tile.Output += channel;
        for (int block = part.First; block < part.End; block++)
        {
            int vectors = blocks.RowsOf(block), width = vectors * TVector.Lanes;
            nint tapRow = (nint)_kernelWidth * sourceGroup * width, tapColumn = (nint)sourceGroup * width;
            tile.OutputChannels = Math.Min(width, ResultGroup - channel);
            tile.FirstTap = width + (rows.FirstTap * tapRow) + (columns.FirstTap * tapColumn);
            tile.WeightTapRow = rows.TapStep * tapRow;
            tile.WeightTapColumn = columns.TapStep * tapColumn;
            if (asks)
                Ask<TVector>(tile, weights, next, block, blocks);

            ConvolutionMicroKernel.Run<TVector>(tileRows, vectors, in tile);
            channel += width;
            tile.Output += width;
            tile.Weights += (nint)depth * width;
        }
    }

    private void RunDot<TVector>(float* source, float* packed, float* result, int images)
        where TVector : struct, IVector<TVector>
    {
        int sourceGroup = SourceGroup, resultGroup = ResultGroup;
        int depth = (_taps * sourceGroup) + 1;
        long sourceRow = (long)_sourceWidth * SourceChannels, resultRow = (long)_resultWidth * ResultChannels;
        int joined = ImagesFollow ? images : 1;
        for (int image = 0; image < images; image += joined)
        {
            foreach (ref readonly WindowRun rows in _rows.AsSpan())
            {
                foreach (ref readonly WindowRun columns in _columns.AsSpan())
                {
                    bool empty = rows.Taps == 0 || columns.Taps == 0, isOneLine = LinesFollow(rows, columns);
                    int lines = isOneLine ? 1 : rows.Count;
                    var dot = new DotTile
                    {
                        LeftRow = (nint)columns.SourceStep * SourceChannels,
                        ResultRow = (nint)columns.Step * ResultChannels,
                        Rows = isOneLine ? columns.Count * rows.Count * joined : columns.Count,
                        TapRows = empty ? 0 : rows.Taps,
                        TapColumns = columns.Taps,
                        LeftTapRow = (nint)(rows.SourceTapStep * sourceRow),
                        LeftTapColumn = (nint)columns.SourceTapStep * SourceChannels,
                        RightTapRow = (nint)rows.TapStep * _kernelWidth * sourceGroup,
                        RightTapColumn = (nint)columns.TapStep * sourceGroup,
                        Length = sourceGroup,
                    };
                    for (int channel = 0; channel < ResultChannels; channel++)
                    {
                        float* weights = packed + ((long)channel * depth);
                        dot.Bias = weights[depth - 1];
                        dot.Right = weights + ((((long)rows.FirstTap * _kernelWidth) + columns.FirstTap) * sourceGroup);
                        for (int row = 0; row < lines; row++)
                        {
                            long offset = empty ? 0 : ((rows.Source + ((long)row * rows.SourceStep)) * sourceRow) + ((long)columns.Source * SourceChannels);
                            dot.Left = source + offset + (channel / resultGroup * sourceGroup);
                            dot.Result = result + ((rows.First + ((long)row * rows.Step)) * resultRow) + ((long)columns.First * ResultChannels) + channel;
                            DotKernel.Run<TVector>(dot);
                        }
                    }
                }
            }

            source += SourceLength;
            result += ResultLength;
        }
    }

    /// <summary>Some groups, and of each some of the blocks into which its vectors of results fall.</summary>
    private readonly record struct Part(int FirstGroup, int EndGroup, int First, int End, TileRows Blocks)
    {
        /// <summary>Whether it has all blocks of its groups.</summary>
        public bool IsWhole => First == 0 && End == Blocks.Tiles;
    }

    /// <summary>Some pixels, of which all channels follow each other.</summary>
    private readonly struct Pixels(float* source, float* result, int count)
    {
        public float* Source => source;

        public float* Result => result;

        public int Count => count;
    }
}
