using System.Runtime.CompilerServices;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Kernels;

/// <summary>
/// One direction of a depthwise convolution with one output a channel, prepared for one geometry: forward, or its input gradient, which reads dy
/// with flipped taps. Outputs slide along a row, lanes are channels; with few channels and neighbouring columns outputs slide down the columns instead, and
/// lanes run over a row's (column, channel) pairs, against weights repeated periodically. Immutable and shared by all workers.
/// </summary>
internal sealed unsafe class DepthwisePass<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>From this size of source and results on, the next block is fetched while one is computed.</summary>
    public const long FetchedBytes = 4L * 1024 * 1024;

    /// <summary>What the source rows of a block of lines should stay below, so that they are in the second-level cache for each tile across.</summary>
    private const int BlockBytes = 256 * 1024;

    /// <summary>Results from this size on, and of batches that go by addresses, are stored past the caches, which could not hold them until they are read: by vectors that are a cache line, for parts of lines do not combine.</summary>
    private const long StreamedBytes = 8L * 1024 * 1024;

    /// <summary>A cell of the source that has no more multiply-adds is computed in less time than memory delivers the next, even by a kernel that goes by addresses.</summary>
    private const int WideTapsOfCell = 7;

    /// <summary>Source rows of so many bytes are computed while the next are fetched: longer than memory takes to answer, and no more, so that the next block's rows do not push this one's out.</summary>
    private const int FetchedBlockBytes = 16 * 1024;

    private readonly TileSegment[] _segments;
    private readonly Sweep _sweep;

    /// <summary>Two lines at a time, in runs some of whose taps may lie outside the image; null where lines share no rows, or where there is no kernel for two.</summary>
    private readonly Sweep? _paired;

    /// <summary>Whole lines in the order of their addresses, for sources from memory; null where tiles read them as fast, or where there is no kernel for it.</summary>
    private readonly Sweep? _wide;
    private readonly int _channels, _alongTaps, _crossTaps;

    /// <summary>Taps along the axis in the order in which positions meet them, so that every segment's weights follow each other; and where in the weights each tap begins, in the order of use.</summary>
    private readonly int[] _order;

    /// <inheritdoc cref="_order"/>
    private readonly nint[] _taps;
    private readonly int _sourceHeight, _resultHeight;
    private readonly nint _sourceLength, _resultLength, _sourceRow, _resultRow;
    private readonly nint _inputCross, _outputCross, _inputStep;
    private readonly int _fetchedLines;
    private readonly bool _alongRow;

    /// <summary>Whether vectors are lines of the cache.</summary>
    private readonly bool _canStream;
    private readonly CompactGroups? _groups;
    private readonly Rectifier _rectifier;

    private DepthwisePass(in Conv2DGeometry g, int channels, bool transposed, Rectifier rectifier, bool copiesGroups)
    {
        _rectifier = rectifier;
        _channels = channels;
        int sourceHeight = transposed ? g.OutputHeight : g.InputHeight, sourceWidth = transposed ? g.OutputWidth : g.InputWidth;
        int resultHeight = transposed ? g.InputHeight : g.OutputHeight, resultWidth = transposed ? g.InputWidth : g.OutputWidth;
        nint sourceRow = (nint)sourceWidth * channels, resultRow = (nint)resultWidth * channels;
        (_sourceHeight, _resultHeight, _sourceRow, _resultRow) = (sourceHeight, resultHeight, sourceRow, resultRow);
        _sourceLength = sourceHeight * sourceRow;
        _resultLength = resultHeight * resultRow;
        _alongRow = DepthwiseShape.IsAlongRow(g, channels);
        WindowRun[] rows = transposed ? WindowAxis.BackwardRows(g) : WindowAxis.ForwardRows(g);
        WindowRun[] columns = transposed ? WindowAxis.BackwardColumns(g) : WindowAxis.ForwardColumns(g);
        SlidingAxis axis;
        WindowRun[] cross;
        nint inputCell, outputCell, tapAlong, tapAcross;
        if (_alongRow)
        {
            axis = transposed
                ? SlidingAxis.Backward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop)
                : SlidingAxis.Forward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop);
            cross = columns;
            (inputCell, _inputCross, outputCell, _outputCross) = (sourceRow, channels, resultRow, channels);
            (_alongTaps, _crossTaps, tapAlong, tapAcross) = (g.KernelHeight, g.KernelWidth, g.KernelWidth, 1);
        }
        else
        {
            axis = transposed
                ? SlidingAxis.Backward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft)
                : SlidingAxis.Forward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft);
            _groups = copiesGroups ? CompactGroups.For(rows, sourceWidth, resultHeight, resultWidth: 0, channels) : null;
            cross = DepthwiseShape.ByResidue(rows, g);
            (inputCell, _inputCross, outputCell, _outputCross) = (channels, sourceRow, channels, resultRow);
            if (_groups != null)
                (inputCell, _inputCross) = (_groups.Channels, (nint)sourceWidth * _groups.Channels);

            (_alongTaps, _crossTaps, tapAlong, tapAcross) = (g.KernelWidth, g.KernelHeight, 1, g.KernelWidth);
        }

        _inputStep = axis.SourceStep * inputCell;
        _fetchedLines = (int)Math.Max(1, FetchedBlockBytes / (sourceRow * sizeof(float)));
        int tapStep = Math.Abs(axis.TapStep);
        _order = [.. Enumerable.Range(0, _alongTaps).OrderBy(tap => tap % tapStep).ThenBy(tap => axis.TapStep > 0 ? tap : -tap)];
        _taps = [.. Enumerable.Range(0, _crossTaps).SelectMany(across => _order.Select(along => ((across * tapAcross) + (along * tapAlong)) * channels))];
        // Vectors that cross lines of the cache are faster a line at a time.
        SlidingRun[] tiles = [.. axis.Tiles(_ => PairedDepthwiseMicroKernel.MostOutputs)];
        WindowRun[]? pairs = !_alongRow && channels % TVector.Lanes == 0 && tiles.All(PairedDepthwiseMicroKernel.Has<TVector>) ? DepthwiseShape.Pairs(cross, g) : null;
        if (!_alongRow && _groups == null)
        {
            int lines = (int)Math.Max(1, (BlockBytes / (sourceRow * sizeof(float))) - (g.KernelHeight - 1));
            cross = [.. cross.SelectMany(run => run.Blocks(lines))];
            pairs = pairs?.SelectMany(run => run.Blocks(lines, PairedDepthwiseMicroKernel.Lines)).ToArray();
        }

        var segments = new List<TileSegment>();
        SlidingRun[] whole = [.. axis.Tiles(_ => StridedDepthwiseMicroKernel.MostOutputs)];
        if (!CanGoOn || !whole.All(StridedDepthwiseMicroKernel.Has))
            whole = [.. axis.Tiles(DepthwiseMicroKernel.MostOutputs<TVector>)];

        _sweep = new(cross, Tiles(whole, isPaired: false, inputCell, outputCell, segments));
        _paired = pairs == null ? null : new(pairs, Tiles(tiles, isPaired: true, inputCell, outputCell, segments));
        if (!transposed && CanGoOn && _groups == null && _alongTaps * _crossTaps <= WideTapsOfCell * (long)g.StrideHeight * g.StrideWidth)
            _wide = new(cross, WideTiles(axis, inputCell, outputCell, segments));

        _segments = [.. segments];
        _canStream = TVector.Lanes * sizeof(float) == AlignedMemory.Alignment && channels % TVector.Lanes == 0;
    }

    public static DepthwisePass<TVector> Forward(in Conv2DGeometry geometry, int channels, Rectifier rectifier, bool copiesGroups) =>
        new(geometry, channels, transposed: false, rectifier, copiesGroups);

    public static DepthwisePass<TVector> BackwardInput(in Conv2DGeometry geometry, int channels, bool copiesGroups) =>
        new(geometry, channels, transposed: true, default, copiesGroups);

    /// <summary>The tiles of some runs, with a kernel for outputs two cells apart, or kernels that know their positions, one after another, in place of one that checks them.</summary>
    private Tile[] Tiles(IEnumerable<SlidingRun> runs, bool isPaired, nint inputCell, nint outputCell, List<TileSegment> segments)
    {
        var tiles = new List<Tile>();
        foreach (SlidingRun run in runs)
        {
            SlidingRun[] parts = [.. run.BySegment()];
            bool isStrided = CanGoOn && StridedDepthwiseMicroKernel.Has(run);
            if (isStrided || parts.Length <= 1 || !CanGoOn || parts.Any(DepthwiseMicroKernel.IsChecked))
                parts = [run];

            foreach (SlidingRun part in parts)
            {
                bool isChecked = DepthwiseMicroKernel.IsChecked(part);
                tiles.Add(new()
                {
                    Output = part.First * outputCell,
                    OutputStep = part.Step * outputCell,
                    Input = isChecked ? 0 : part.Segments[0].Source * inputCell,
                    Weights = isChecked ? 0 : Slot(part.Segments[0].Tap),
                    Segment = segments.Count,
                    Segments = Math.Max(1, part.Segments.Length),
                    IsFirst = part == parts[0],
                    IsLast = part == parts[^1],
                    Kernel = isPaired ? PairedDepthwiseMicroKernel.Get<TVector>(part)
                        : isStrided ? StridedDepthwiseMicroKernel.Get<TVector>(part)
                        : DepthwiseMicroKernel.Get<TVector, Whole>(part),
                    PartialKernel = DepthwiseMicroKernel.Get<TVector, Partial>(part),
                });
                if (isChecked)
                    segments.AddRange(SegmentsOf(part, inputCell));

                // A run that no tap reaches has one segment without positions.
                if (part.Segments.Length == 0)
                    segments.Add(new(0, 0, 0, 0, true));
            }
        }

        return [.. tiles];
    }

    /// <summary>Whole runs as tiles of the kernel that goes by addresses.</summary>
    private Tile[] WideTiles(SlidingAxis axis, nint inputCell, nint outputCell, List<TileSegment> segments)
    {
        var tiles = new List<Tile>();
        foreach (SlidingRun run in axis.Runs)
        {
            tiles.Add(new()
            {
                Output = run.First * outputCell,
                OutputStep = run.Step * outputCell,
                Input = 0,
                Weights = 0,
                Segment = segments.Count,
                Segments = run.Segments.Length,
                Wide = WideOutputs.Of(run),
                IsFirst = true,
                IsLast = true,
                Kernel = WideDepthwiseMicroKernel.Get<TVector>(),
                PartialKernel = null,
            });
            segments.AddRange(SegmentsOf(run, inputCell));
        }

        return [.. tiles];
    }

    private IEnumerable<TileSegment> SegmentsOf(SlidingRun run, nint inputCell) => run.Segments.Select(s => new TileSegment(s.Source * inputCell, Slot(s.Tap), s.First, s.End, s.IsWhole));

    /// <summary>
    /// Whether one kernel may write an output and another go on with it, so that each has a single segment: only where no vector of channels overlaps the one before, which would get the second's taps twice.
    /// </summary>
    private bool CanGoOn => !_alongRow && _channels % TVector.Lanes == 0;

    /// <summary>Blocks of packed weights: one a vector of channels, or one for each vector until a row's (column, channel) pairs start at channel 0 again.</summary>
    private int Blocks => _alongRow
        ? _channels / WindowAxis.GreatestCommonDivisor(_channels, TVector.Lanes)
        : (_channels + TVector.Lanes - 1) / TVector.Lanes;

    private int BlockLength => ((_alongTaps * _crossTaps) + 1) * TVector.Lanes;

    /// <summary>Floats that the packed weights need.</summary>
    public int PackedLength => checked(Blocks * BlockLength);

    /// <summary>Packs weights [kh, kw, c] and the biases (or zeros): for each block a vector of biases, then one for each tap across and along, in the order of use.</summary>
    public void Pack(float* weights, float* bias, float* packed, Share share)
    {
        (int first, int end) = share.Of(Blocks);
        packed += (nint)first * BlockLength;
        for (int block = first; block < end; block++)
        {
            if (bias == null)
                TVector.Store(packed, TVector.Zero);
            else
                PackVector(bias, block, packed);

            packed += TVector.Lanes;
            foreach (nint tap in _taps)
            {
                PackVector(weights + tap, block, packed);
                packed += TVector.Lanes;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void PackVector(float* row, int block, float* packed)
    {
        int channel = block * TVector.Lanes;
        if (_alongRow)
        {
            for (int lane = 0; lane < TVector.Lanes; lane++)
                packed[lane] = row[(channel + lane) % _channels];
        }
        else if (_channels < TVector.Lanes)
        {
            TVector.Store(packed, TVector.LoadPartial(row, _channels));
        }
        else
        {
            TVector.Store(packed, TVector.Load(row + Math.Min(channel, _channels - TVector.Lanes)));
        }
    }

    /// <summary>How results at an address are computed: two lines at a time unless vectors would cross lines of the cache, or pass them.</summary>
    private Sweep SweepTo(float* result, bool streams) =>
        _paired != null && !streams && (nint)result % (TVector.Lanes * sizeof(float)) == 0 ? _paired : _sweep;

    private int Slot(int tap) => Array.IndexOf(_order, tap) * TVector.Lanes;

    /// <summary>Writes the results of some images, or a share of their rows.</summary>
    public void Run(float* source, float* packed, float* result, int images, Share share) => Run(source, packed, result, images, share, isFromMemory: false, null, null, null);

    /// <summary>The same for a source that comes from memory, not from a cache.</summary>
    public void RunFromMemory(float* source, float* packed, float* result, int images, Share share) => Run(source, packed, result, images, share, isFromMemory: true, null, null, null);

    /// <summary>Whether <see cref="RunWith"/> may be used, and some images are so large that they gain by it: where neighbouring rows share theirs, dy comes from memory once for both.</summary>
    public bool GainsWithWeights(int images) => _groups == null && Fetches(images);

    /// <summary>An input gradient, and the weight gradient in step with it: the same bits as one after the other.</summary>
    public void RunWith(DepthwiseWeightGradient<TVector> weights, float* x, float* dy, float* packed, float* dx, float* dw, int images) =>
        Run(dy, packed, dx, images, Share.All, isFromMemory: false, weights, x, dw);

    /// <summary>Whether some images are so many bytes, source and result, that they come from memory, and what comes next is asked for.</summary>
    public bool Fetches(int images) => !_alongRow && images * (_sourceLength + _resultLength) * sizeof(float) >= FetchedBytes;

    private void Run(float* source, float* packed, float* result, int images, Share share, bool isFromMemory, DepthwiseWeightGradient<TVector>? weights, float* x, float* dw)
    {
        float* edge = stackalloc float[SizeDispatch.Most * TVector.Lanes];
        fixed (TileSegment* segments = _segments)
        {
            var tile = new DepthwiseTile
            {
                Edge = edge,
                InputStep = _inputStep,
                BlockStep = BlockLength,
                Blocks = Blocks,
            };
            Sweep? wide = isFromMemory ? _wide : null;
            bool streams = _canStream && (wide ?? _sweep).IsWrittenOnce && (wide != null || images * _resultLength * sizeof(float) >= StreamedBytes) && (nint)result % AlignedMemory.Alignment == 0;
            bool fetches = Fetches(images);
            if (_groups != null)
            {
                (int first, int end) = share.Of(_resultHeight);
                RunGroups(ref tile, segments, source, packed, result, images, first, end, fetches);
                return;
            }

            Sweep sweep = wide ?? SweepTo(result, streams);
            int unit = sweep == _paired ? PairedDepthwiseMicroKernel.Lines : 1, most = fetches ? (_fetchedLines + unit - 1) / unit * unit : int.MaxValue;
            for (int image = 0; image < images; image++)
            {
                bool isLast = image + 1 == images;
                var cursor = new LineCursor(sweep.Lines, share, unit);
                int done = 0, added = 0, addedLines = 0;
                for (WindowRun lines = cursor.Next(most), next; lines.Count > 0; lines = next)
                {
                    done += lines.Count;
                    for (; weights != null && added < weights.Blocks && (long)(addedLines + weights.LinesOf(added)) * _resultHeight <= (long)done * _sourceHeight; added++)
                    {
                        weights.AddBlock(added, x, source, dw, isLast);
                        addedLines += weights.LinesOf(added);
                    }

                    next = cursor.Next(most);
                    FetchAhead ahead = default;
                    if (fetches && next.Count > 0)
                        ahead = Ahead(next, source, result, streams);
                    else if (fetches && !isLast)
                        ahead = Ahead(new LineCursor(sweep.Lines, share, unit).Next(most), source + _sourceLength, result + _resultLength, streams);

                    Run(ref tile, sweep, lines, segments, source, packed, result, _channels, streams, ahead);
                }

                source += _sourceLength;
                result += _resultLength;
                x += _resultLength;
            }
        }
    }

    /// <summary>Whether rows of the result can be written by themselves: outputs slide along them.</summary>
    public bool CanRunRows => !_alongRow;

    /// <summary>Writes rows of one image's result, first up to end.</summary>
    public void RunRows(float* source, float* packed, float* result, int first, int end)
    {
        float* edge = stackalloc float[SizeDispatch.Most * TVector.Lanes];
        fixed (TileSegment* segments = _segments)
        {
            var tile = new DepthwiseTile { Edge = edge, InputStep = _inputStep, BlockStep = BlockLength, Blocks = Blocks };
            if (_groups != null)
            {
                RunGroups(ref tile, segments, source, packed, result, images: 1, first, end, fetches: false);
                return;
            }

            Sweep sweep = SweepTo(result, streams: false);
            foreach (ref readonly WindowRun run in sweep.Lines.AsSpan())
            {
                WindowRun cross = run.Between(first, end);
                if (cross.Count > 0)
                    Run(ref tile, sweep, cross, segments, source, packed, result, _channels, streams: false, default);
            }
        }
    }

    /// <summary>Some rows of each image, band by band.</summary>
    private void RunGroups(ref DepthwiseTile tile, TileSegment* segments, float* source, float* packed, float* result, int images, int first, int end, bool fetches)
    {
        int rows = _groups!.BandRows;
        for (int image = 0; image < images; image++)
        {
            for (int row = first; row < end; row += rows)
            {
                int stop = Math.Min(row + rows, end);
                FetchAhead ahead = default;
                if (fetches && stop < end)
                    ahead = _groups.Ahead(stop, Math.Min(stop + rows, end), _groups.SourceRows(row, stop).End, source, _sourceRow, result, _resultRow);
                else if (fetches && image + 1 < images)
                    ahead = _groups.Ahead(first, Math.Min(first + rows, end), 0, source + _sourceLength, _sourceRow, result + _resultLength, _resultRow);

                RunBand(ref tile, segments, source, packed, result, row, stop, ahead);
            }

            source += _sourceLength;
            result += _resultLength;
        }
    }

    [SkipLocalsInit]
    private void RunBand(ref DepthwiseTile tile, TileSegment* segments, float* source, float* packed, float* result, int first, int end, in FetchAhead ahead)
    {
        float* compact = stackalloc float[_groups!.Length + AlignedMemory.AlignmentFloats];
        compact = AlignedMemory.Align(compact);
        (int firstSource, int endSource) = _groups.SourceRows(first, end);
        nint pixels = (endSource - firstSource) * _sourceRow / _channels;
        Sweep sweep = SweepTo(result, streams: false);
        for (int channel = 0; channel < _channels; channel += _groups.Channels)
        {
            int channels = Math.Min(_groups.Channels, _channels - channel);
            _groups.Copy<TVector>(source + (firstSource * _sourceRow) + channel, pixels, compact, channels);
            FetchAhead groupAhead = ahead.Of(channel / _groups.Channels, (_channels + _groups.Channels - 1) / _groups.Channels);
            int line = 0;
            foreach (ref readonly WindowRun run in sweep.Lines.AsSpan())
            {
                WindowRun cross = run.Between(first, end);
                if (cross.Count > 0)
                {
                    Run(
                        ref tile, sweep, cross, segments, compact - (firstSource * _inputCross), packed + (channel / TVector.Lanes * BlockLength), result + channel, channels, streams: false,
                        groupAhead.Of(line, line + cross.Count, end - first));
                }

                line += cross.Count;
            }
        }
    }

    private FetchAhead Ahead(in WindowRun cross, float* source, float* result, bool streams) => FetchAhead.For(cross, source, _inputCross, result, streams ? 0 : _outputCross);

    /// <summary>Some lines: pairs of them where the sweep is of pairs, and one by one what is left.</summary>
    private void Run(
        ref DepthwiseTile tile, Sweep sweep, in WindowRun cross, TileSegment* segments, float* source, float* packed, float* result, int channels, bool streams, in FetchAhead ahead)
    {
        bool isPaired = sweep == _paired && cross.Taps == PairedDepthwiseMicroKernel.Taps;
        int paired = isPaired ? cross.Count / PairedDepthwiseMicroKernel.Lines * PairedDepthwiseMicroKernel.Lines : 0;
        if (paired > 0)
            RunTiles(ref tile, sweep.Tiles, isPaired: true, cross.Slice(0, paired), segments, source, packed, result, channels, streams, ahead);

        if (paired < cross.Count)
        {
            WindowRun rest = isPaired ? cross.Slice(paired, cross.Count).Inside(_sourceHeight) : cross;
            RunTiles(ref tile, (sweep == _paired ? _sweep : sweep).Tiles, isPaired: false, rest, segments, source, packed, result, channels, streams, paired == 0 ? ahead : default);
        }
    }

    private void RunTiles(
        ref DepthwiseTile tile, Tile[] tiles, bool isPaired, in WindowRun cross, TileSegment* segments, float* source, float* packed, float* result, int channels, bool streams, in FetchAhead ahead)
    {
        tile.CrossTaps = cross.Taps;
        tile.InputCross = cross.SourceTapStep * _inputCross;
        tile.WeightCross = cross.TapStep * _alongTaps * TVector.Lanes;
        tile.Lines = cross.Count;
        if (_alongRow)
        {
            channels *= cross.Count;
            tile.Lines = 1;
        }

        tile.Block = packed;
        tile.Channels = channels;
        tile.InputLine = cross.SourceStep * _inputCross;
        tile.OutputLine = cross.Step * _outputCross;
        float* input = source + (cross.Source * _inputCross);
        float* output = result + (cross.First * _outputCross);
        if (isPaired)
        {
            // Of two lines the first is the one whose taps come first as they are walked: up the image in an input gradient.
            int firstRow = cross.Source, lastRow = cross.Source + ((cross.Count - 1) * cross.SourceStep);
            if (cross.SourceTapStep < 0)
            {
                (firstRow, lastRow) = (lastRow, firstRow);
                input += (cross.Count - 1) * tile.InputLine;
                output += (cross.Count - 1) * tile.OutputLine;
                (tile.InputLine, tile.OutputLine) = (-tile.InputLine, -tile.OutputLine);
            }

            tile.MissesFirst = (uint)firstRow >= (uint)_sourceHeight;
            tile.MissesLast = (uint)(lastRow + ((cross.Taps - 1) * cross.SourceTapStep)) >= (uint)_sourceHeight;
        }

        int vectors = (channels + TVector.Lanes - 1) / TVector.Lanes;
        int firstWeight = (1 + (cross.FirstTap * _alongTaps)) * TVector.Lanes;
        for (int i = 0; i < tiles.Length; i++)
        {
            ref readonly Tile slide = ref tiles[i];
            tile.Ahead = ahead.Of(i, tiles.Length).Parts(slide.Wide.Count > 0 ? WideDepthwiseMicroKernel.Parts(slide.Wide, vectors) : vectors, cross.Count);
            tile.Input = input + slide.Input;
            tile.Output = output + slide.Output;
            tile.OutputStep = slide.OutputStep;
            tile.FirstWeight = firstWeight + slide.Weights;
            tile.Segments = segments + slide.Segment;
            tile.SegmentCount = slide.Segments;
            tile.Wide = slide.Wide;
            tile.GoesOn = !slide.IsFirst;
            tile.Streams = streams;
            tile.Rectifier = slide.IsLast ? _rectifier : default;
            (channels < TVector.Lanes ? slide.PartialKernel : slide.Kernel)(in tile);
        }
    }

    /// <summary>Runs of lines, and the tiles across them.</summary>
    private sealed class Sweep(WindowRun[] lines, Tile[] tiles)
    {
        public WindowRun[] Lines => lines;

        public Tile[] Tiles => tiles;

        /// <summary>Whether no tile goes on from what another left.</summary>
        public bool IsWrittenOnce { get; } = tiles.All(tile => tile.IsFirst && tile.IsLast);
    }

    /// <summary>A tile's offsets in floats, and its kernels.</summary>
    private readonly struct Tile
    {
        public required nint Output { get; init; }

        public required nint OutputStep { get; init; }

        public required nint Input { get; init; }

        public required nint Weights { get; init; }

        public required int Segment { get; init; }

        public required int Segments { get; init; }

        public WideOutputs Wide { get; init; }

        /// <summary>Whether it begins with the biases, or goes on with what the tile before left.</summary>
        public required bool IsFirst { get; init; }

        /// <summary>Whether its outputs have all their taps.</summary>
        public required bool IsLast { get; init; }

        public required delegate*<in DepthwiseTile, void> Kernel { get; init; }

        public required delegate*<in DepthwiseTile, void> PartialKernel { get; init; }
    }
}
