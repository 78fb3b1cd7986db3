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

    private readonly WindowRun[] _rows, _columns;
    private readonly int _sourceHeight, _sourceWidth, _resultHeight, _resultWidth, _taps, _kernelWidth;
    private readonly bool _transposed;

    private ConvolutionPass(in Conv2DGeometry g, int inputChannels, int outputChannels, int groups, bool transposed)
    {
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

    public static ConvolutionPass Forward(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        new(geometry, inputChannels, outputChannels, groups, transposed: false);

    public static ConvolutionPass BackwardInput(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        new(geometry, inputChannels, outputChannels, groups, transposed: true);

    public int SourceChannels { get; }

    public int ResultChannels { get; }

    public int Groups { get; }

    private int SourceGroup => SourceChannels / Groups;

    private int ResultGroup => ResultChannels / Groups;

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
        where TVector : struct, IVector<TVector> => (ResultGroup + TVector.Lanes - 1) / TVector.Lanes * TVector.Lanes;

    /// <summary>
    /// Packs weights [kh, kw, cin/groups, cout] and the biases (or zeros) for <see cref="Run"/>: for each group and block of two vectors of
    /// results the biases, then a row for each tap and source channel, padded with zeros to whole vectors. A dot product's weights
    /// are a row for each result: taps and source channels, then the bias.
    /// </summary>
    public void Pack<TVector>(float* weights, float* bias, float* packed)
        where TVector : struct, IVector<TVector>
    {
        int source = SourceGroup, result = ResultGroup;
        // Strides of the weights as stored, whose last axis is the layer's outputs whichever way the pass runs.
        int outputs = _transposed ? SourceChannels : ResultChannels;
        int tapStride = (_transposed ? result : source) * outputs;
        int sourceStride = _transposed ? 1 : outputs, resultStride = _transposed ? outputs : 1;
        int groupStride = _transposed ? source : result;
        for (int group = 0; group < Groups; group++)
        {
            float* first = weights + (group * groupStride);
            float* groupBias = bias == null ? null : bias + (group * result);
            if (IsDot)
            {
                for (int r = 0; r < result; r++)
                {
                    for (int tap = 0; tap < _taps; tap++)
                    {
                        for (int s = 0; s < source; s++)
                            *packed++ = first[((long)tap * tapStride) + ((long)s * sourceStride) + ((long)r * resultStride)];
                    }

                    *packed++ = groupBias == null ? 0 : groupBias[r];
                }

                continue;
            }

            for (int block = 0; block < result; block += 2 * TVector.Lanes)
            {
                int width = result - block > TVector.Lanes ? 2 * TVector.Lanes : TVector.Lanes;
                int exist = Math.Min(width, result - block);
                for (int r = 0; r < width; r++)
                    packed[r] = r < exist && groupBias != null ? groupBias[block + r] : 0;

                packed += width;
                for (int tap = 0; tap < _taps; tap++)
                {
                    for (int s = 0; s < source; s++)
                    {
                        float* from = first + ((long)tap * tapStride) + ((long)s * sourceStride) + ((long)block * resultStride);
                        for (int r = 0; r < exist; r++)
                            packed[r] = from[(long)r * resultStride];

                        for (int r = exist; r < width; r++)
                            packed[r] = 0;

                        packed += width;
                    }
                }
            }
        }
    }

    /// <summary>Writes the results of some images, or a share of their rows.</summary>
    public void Run<TVector>(float* source, float* packed, float* result, int images, Share share)
        where TVector : struct, IVector<TVector>
    {
        if (IsDot && share.Index > 0)
            return;

        if (IsDot)
        {
            RunDot<TVector>(source, packed, result, images);
            return;
        }

        // Where pixels follow each other evenly over rows, or over whole images, they are one long line.
        if (share.Count == 1 && _rows.Length == 1 && _columns.Length == 1 && LinesFollow(_rows[0], _columns[0])
            && _rows[0].Count * _rows[0].SourceStep == _sourceHeight && _rows[0].Count * _rows[0].Step == _resultHeight)
        {
            Rectangle<TVector>(source, packed, result, _rows[0] with { Count = _rows[0].Count * images }, _columns[0]);
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
                    Rectangle<TVector>(source, packed, result, own, columns);
            }

            source += SourceLength;
            result += ResultLength;
        }
    }

    private bool LinesFollow(in WindowRun rows, in WindowRun columns) =>
        columns.Count * columns.SourceStep == rows.SourceStep * _sourceWidth && columns.Count * columns.Step == rows.Step * _resultWidth;

    /// <summary>The results of a rectangle of pixels that share their taps.</summary>
    private void Rectangle<TVector>(float* source, float* packed, float* result, in WindowRun rows, in WindowRun columns)
        where TVector : struct, IVector<TVector>
    {
        long sourceRow = (long)_sourceWidth * SourceChannels, resultRow = (long)_resultWidth * ResultChannels;
        float* x = source;
        if (rows.Taps > 0 && columns.Taps > 0)
            x += (rows.Source * sourceRow) + ((long)columns.Source * SourceChannels);

        float* y = result + (rows.First * resultRow) + ((long)columns.First * ResultChannels);
        nint xLine = (nint)(rows.SourceStep * sourceRow), xPixel = (nint)columns.SourceStep * SourceChannels;
        nint yLine = (nint)(rows.Step * resultRow), yPixel = (nint)columns.Step * ResultChannels;
        int lines = rows.Count, pixels = columns.Count;
        if (LinesFollow(rows, columns))
        {
            pixels *= lines;
            lines = 1;
        }
        else if (Fill<TVector>(pixels) < Math.Min(0.8, Fill<TVector>(lines)))
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
        var split = new TileRows(pixels, ConvolutionMicroKernel.MaximumRows<TVector>());
        for (int group = 0; group < Groups; group++)
        {
            float* groupWeights = packed + ((long)group * paddedGroup * depth);
            float* groupX = x + (group * sourceGroup), groupY = y + (group * resultGroup);
            Tiles<TVector>(tile, rows, columns, groupX, groupY, groupWeights, split.Short + 1, split.Long, lines);
            nint longPixels = (nint)split.Long * (split.Short + 1);
            Tiles<TVector>(tile, rows, columns, groupX + (longPixels * xPixel), groupY + (longPixels * yPixel), groupWeights, split.Short, split.Tiles - split.Long, lines);
        }
    }

    /// <summary>How full the tiles of a run of pixels are.</summary>
    private static double Fill<TVector>(int pixels)
        where TVector : struct, IVector<TVector>
    {
        int most = ConvolutionMicroKernel.MaximumRows<TVector>();
        return pixels / (double)((pixels + most - 1) / most * most);
    }

    /// <summary>Tiles of as many pixels each, in every line: a segment of input at a time, all weights over it.</summary>
    private void Tiles<TVector>(
        ConvolutionTile tile, in WindowRun rows, in WindowRun columns, float* x, float* y, float* weights, int tileRows, int tiles, int lines)
        where TVector : struct, IVector<TVector>
    {
        if (tiles == 0)
            return;

        int segment = Math.Max(1, SegmentBytes / (sizeof(float) * tileRows * SourceGroup));
        int segmentTiles = Math.Min(tiles, segment), segmentLines = segment / segmentTiles;
        for (int line = 0; line < lines; line += segmentLines)
        {
            tile.Lines = Math.Min(segmentLines, lines - line);
            for (int first = 0; first < tiles; first += segmentTiles)
            {
                tile.Tiles = Math.Min(segmentTiles, tiles - first);
                tile.Input = x + (line * tile.InputLine) + ((nint)first * tileRows * tile.InputStride);
                tile.Output = y + (line * tile.OutputLine) + ((nint)first * tileRows * tile.OutputStride);
                Blocks<TVector>(tile, rows, columns, weights, tileRows);
            }
        }
    }

    /// <summary>All blocks of results for some tiles.</summary>
    private void Blocks<TVector>(ConvolutionTile tile, in WindowRun rows, in WindowRun columns, float* weights, int tileRows)
        where TVector : struct, IVector<TVector>
    {
        int sourceGroup = SourceGroup, resultGroup = ResultGroup;
        int depth = (_taps * sourceGroup) + 1;
        tile.Weights = weights;
        for (int block = 0; block < resultGroup; block += 2 * TVector.Lanes)
        {
            int remaining = resultGroup - block;
            int vectors = remaining > TVector.Lanes ? 2 : 1;
            int width = vectors * TVector.Lanes;
            nint tapRow = (nint)_kernelWidth * sourceGroup * width, tapColumn = (nint)sourceGroup * width;
            tile.OutputChannels = Math.Min(width, remaining);
            tile.FirstTap = width + (rows.FirstTap * tapRow) + (columns.FirstTap * tapColumn);
            tile.WeightTapRow = rows.TapStep * tapRow;
            tile.WeightTapColumn = columns.TapStep * tapColumn;
            ConvolutionMicroKernel.Run<TVector>(tileRows, vectors, in tile);
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
        for (int image = 0; image < images; image++)
        {
            foreach (ref readonly WindowRun rows in _rows.AsSpan())
            {
                foreach (ref readonly WindowRun columns in _columns.AsSpan())
                {
                    bool empty = rows.Taps == 0 || columns.Taps == 0;
                    var dot = new DotTile
                    {
                        LeftRow = (nint)columns.SourceStep * SourceChannels,
                        ResultRow = (nint)columns.Step * ResultChannels,
                        Rows = columns.Count,
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
                        for (int row = 0; row < rows.Count; row++)
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
}
