using System.Runtime.CompilerServices;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a depthwise convolution with one output a channel: dw [kh, kw, c] += sum over output pixels of x [pixel + tap, c] * dy [pixel, c]. Outputs slide along
/// the row as in the forward pass; the plane is cut into blocks of lines that stay in the second-level cache, those into strips of columns, which all channel vectors visit before the next strip, a few lines at a time
/// where their x and dy should stay in the first-level cache; where pixels are distant into bands of rows (<see cref="CompactGroups"/>). With few channels outputs slide down the columns and lanes run over a row's (column, channel) pairs, into a gradient as wide as the row,
/// which is then added over the columns in order. Blocks and strips follow from the shape alone, so that the order of every sum does too; lines at a time do not change it.
/// </summary>
internal sealed unsafe class DepthwiseWeightGradient<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>What a block's x and dy should stay below where the taps are three, which a kernel may take in all its lines at once: a part of the second-level cache.</summary>
    private const int BlockBytes = 256 * 1024;

    /// <summary>What they should stay below in the lines of a strip that all vectors of channels visit before the next: the first-level cache. Of other taps a block has no more lines.</summary>
    private const int VisitedBytes = 24 * 1024;

    /// <summary>What one line of a strip of three taps should stay below, if that is not fewer outputs than other taps have.</summary>
    private const int StripBytes = 7 * 1024;

    private readonly Run[] _runs;
    private readonly WindowRun[] _cross;
    private readonly int _channels, _taps, _width;
    private readonly nint _inputLength, _outputLength, _inputRow, _outputRow, _inputCross, _outputCross, _inputStep, _tapAlong, _tapAcross;
    private readonly bool _alongRow;
    private readonly CompactGroups? _groups;
    private readonly int _outputHeight;

    public DepthwiseWeightGradient(in Conv2DGeometry g, int channels, bool copiesGroups)
    {
        _channels = channels;
        _taps = g.KernelHeight * g.KernelWidth;
        _width = g.OutputWidth * channels;
        _alongRow = DepthwiseShape.IsAlongRow(g, channels);
        nint inputRow = (nint)g.InputWidth * channels, outputRow = _width, gradientTap = _alongRow ? _width : channels;
        (_outputHeight, _inputRow, _outputRow) = (g.OutputHeight, inputRow, outputRow);
        _inputLength = g.InputHeight * inputRow;
        _outputLength = g.OutputHeight * outputRow;
        SlidingAxis axis = _alongRow
            ? SlidingAxis.Forward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop)
            : SlidingAxis.Forward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft);
        bool isThreeTap = !_alongRow && axis.Runs.All(ThreeTapGradientMicroKernel.Has);
        int mostOutputs = DepthwiseGradientMicroKernel.MostOutputs;
        if (isThreeTap)
            mostOutputs = Math.Clamp(StripBytes / (channels * sizeof(float)), mostOutputs, ThreeTapGradientMicroKernel.MostOutputs);

        SlidingRun[] strips = [.. axis.Tiles(_ => mostOutputs)];
        nint inputCell, outputCell;
        if (_alongRow)
        {
            _cross = WindowAxis.ForwardColumns(g);
            (inputCell, _inputCross, outputCell, _outputCross) = (inputRow, channels, outputRow, channels);
            (_tapAlong, _tapAcross) = (g.KernelWidth * gradientTap, gradientTap);
        }
        else
        {
            var bands = CompactGroups.For(WindowAxis.ForwardRows(g), g.InputWidth, g.OutputHeight, g.OutputWidth, channels);
            _groups = copiesGroups ? bands : null;
            _cross = DepthwiseShape.ByResidue(WindowAxis.ForwardRows(g), g);
            (inputCell, _inputCross, outputCell, _outputCross) = (channels, inputRow, channels, outputRow);
            if (_groups != null)
            {
                (inputCell, _inputCross, outputCell, _outputCross) = (_groups.Channels, (nint)g.InputWidth * _groups.Channels, _groups.Channels, (nint)g.OutputWidth * _groups.Channels);
            }
            else if (bands != null)
            {
                _cross = bands.ByBand(_cross, g.OutputHeight);
            }
            else
            {
                int lines = isThreeTap
                    ? (int)Math.Max(1, BlockBytes / (((inputRow * g.StrideHeight) + outputRow) * sizeof(float)))
                    : VisitedLines(Math.Min(mostOutputs, axis.Runs.Max(run => run.Count)), g.KernelHeight);
                _cross = [.. _cross.SelectMany(run => run.Blocks(lines))];
            }

            (_tapAlong, _tapAcross) = (gradientTap, g.KernelWidth * gradientTap);
        }

        _inputStep = axis.SourceStep * inputCell;
        var runs = new List<Run>();
        foreach (SlidingRun run in strips)
        {
            // A strip that is too wide for the other kernel has this one at every level.
            bool isByThreeTaps = isThreeTap && (ThreeTapGradientMicroKernel.HasVectors<TVector>() || run.Count > DepthwiseGradientMicroKernel.MostOutputs);
            foreach (SlidingSegment segment in run.Segments)
            {
                int taps = segment.IsWhole ? run.Taps : run.Taps - 1;
                int most = isByThreeTaps ? ThreeTapGradientMicroKernel.MostCross : DepthwiseGradientMicroKernel.MostCrossTaps<TVector>(taps);
                var kernels = new nint[Run.Parts, most];
                for (int cross = 1; cross <= most; cross++)
                {
                    kernels[Run.WholeVectors, cross - 1] = isByThreeTaps
                        ? (nint)ThreeTapGradientMicroKernel.Get<TVector, Whole>(cross) : (nint)DepthwiseGradientMicroKernel.Get<TVector, Whole>(taps, cross, run.Count, segment);
                    kernels[Run.PartialVector, cross - 1] = isByThreeTaps
                        ? (nint)ThreeTapGradientMicroKernel.Get<TVector, Partial>(cross) : (nint)DepthwiseGradientMicroKernel.Get<TVector, Partial>(taps, cross, run.Count, segment);
                    kernels[Run.SeveralVectors, cross - 1] = isByThreeTaps ? (nint)ThreeTapGradientMicroKernel.GetVectors<TVector>(cross) : 0;
                }

                runs.Add(new()
                {
                    Input = segment.Source * inputCell,
                    Output = run.First * outputCell,
                    OutputStep = run.Step * outputCell,
                    First = segment.First,
                    End = segment.End,
                    Outputs = run.Count,
                    Tap = segment.Tap,
                    TapStep = axis.TapStep,
                    Taps = taps,
                    MostCross = most,
                    Lines = isThreeTap && _groups == null && !ThreeTapGradientMicroKernel.TakesWholeLines<TVector>() ? VisitedLines(run.Count, g.KernelHeight) : int.MaxValue,
                    Kernels = kernels,
                });
            }
        }

        _runs = [.. runs];
    }

    /// <summary>Lines of a strip whose x and dy stay in the first-level cache, with the rows that a window adds to x.</summary>
    private int VisitedLines(int outputs, int window) => (int)Math.Max(1, (VisitedBytes / (2L * outputs * _channels * sizeof(float))) - (window / 2));

    /// <summary>Floats of a worker's scratch that <see cref="Add"/> needs.</summary>
    public int ScratchLength => _alongRow ? checked(_taps * _width) : 0;

    /// <summary>Adds the gradient of some images to <paramref name="dw"/>, or to a share of its channels; where x and dy come from memory, the next block of all channels is fetched while one is computed.</summary>
    public void Add(float* x, float* dy, float* dw, float* scratch, int images, Share share, bool fetches)
    {
        // Lanes that run along a row cannot be shared out.
        (int first, int end) = _alongRow ? (0, share.Index == 0 ? _channels : 0) : share.Of((_channels + AlignedMemory.AlignmentFloats - 1) / AlignedMemory.AlignmentFloats);
        if (first == end)
            return;

        (int firstChannel, int channels) = (0, _channels);
        if (!_alongRow)
        {
            firstChannel = first * AlignedMemory.AlignmentFloats;
            channels = Math.Min(_channels, end * AlignedMemory.AlignmentFloats) - firstChannel;
        }

        fetches &= channels == _channels;
        float* edge = stackalloc float[DepthwiseGradientMicroKernel.MostGradients * TVector.Lanes];
        if (_groups != null)
        {
            AddBands(x, dy, dw, images, 0, _outputHeight, firstChannel, channels, edge, fetches);
            return;
        }

        for (int image = 0; image < images; image++)
        {
            if (_alongRow)
                new Span<float>(scratch, ScratchLength).Clear();

            for (int i = 0; i < _cross.Length; i++)
            {
                ref readonly WindowRun cross = ref _cross[i];
                if (cross.Taps > 0)
                {
                    if (_alongRow)
                    {
                        AddBlock(x, dy, scratch + (cross.First * _channels), cross, _channels * cross.Count, edge, default);
                    }
                    else
                    {
                        FetchAhead ahead = default;
                        if (fetches && i + 1 < _cross.Length)
                            ahead = FetchAhead.For(_cross[i + 1], x, _inputCross, dy, _outputCross);
                        else if (fetches && image + 1 < images)
                            ahead = FetchAhead.For(_cross[0], x + _inputLength, _inputCross, dy + _outputLength, _outputCross);

                        AddBlock(x + firstChannel, dy + firstChannel, dw + firstChannel, cross, channels, edge, ahead);
                    }
                }
            }

            if (_alongRow)
                AddColumns(scratch, dw);

            x += _inputLength;
            dy += _outputLength;
        }
    }

    /// <summary>Whether <see cref="AddBlock(int, float*, float*, float*, bool)"/> may be used: outputs slide along rows, which are not copied.</summary>
    public bool CanAddBlocks => !_alongRow && _groups == null;

    /// <summary>Blocks of an image's lines, which are added in order.</summary>
    public int Blocks => _cross.Length;

    /// <summary>Lines of a block, which may be a single one at an edge and many elsewhere.</summary>
    public int LinesOf(int block) => _cross[block].Count;

    /// <summary>Adds one block of an image's lines, while what it adds of x is asked for of the next; dy is not, which an input gradient in step reads.</summary>
    public void AddBlock(int block, float* x, float* dy, float* dw, bool isLastImage)
    {
        ref readonly WindowRun lines = ref _cross[block];
        if (lines.Taps == 0)
            return;

        float* edge = stackalloc float[DepthwiseGradientMicroKernel.MostGradients * TVector.Lanes];
        FetchAhead ahead = default;
        if (block + 1 < Blocks)
            ahead = FetchAhead.For(_cross[block + 1], x, _inputCross, dy, 0);
        else if (!isLastImage)
            ahead = FetchAhead.For(_cross[0], x + _inputLength, _inputCross, dy, 0);

        AddBlock(x, dy, dw, lines, _channels, edge, ahead);
    }

    /// <summary>Whether some rows of dy can be added by themselves: outputs slide along them.</summary>
    public bool CanAddRows => !_alongRow;

    /// <summary>Adds what rows of one image's dy give, first up to end; of x they need what their taps see.</summary>
    public void AddRows(float* x, float* dy, float* dw, int first, int end)
    {
        float* edge = stackalloc float[DepthwiseGradientMicroKernel.MostGradients * TVector.Lanes];
        if (_groups != null)
        {
            AddBands(x, dy, dw, images: 1, first, end, firstChannel: 0, _channels, edge, fetches: false);
            return;
        }

        foreach (ref readonly WindowRun run in _cross.AsSpan())
        {
            WindowRun cross = run.Between(first, end);
            if (cross.Count > 0 && cross.Taps > 0)
                AddBlock(x, dy, dw, cross, _channels, edge, default);
        }
    }

    /// <summary>Some rows of each image's dy, cut where lines that are not copied are cut, so that no bit depends on copies.</summary>
    private void AddBands(float* x, float* dy, float* dw, int images, int first, int end, int firstChannel, int channels, float* edge, bool fetches)
    {
        int rows = _groups!.BandRows;
        for (int image = 0; image < images; image++)
        {
            for (int row = first, stop; row < end; row = stop)
            {
                stop = Math.Min(((row / rows) + 1) * rows, end);
                FetchAhead ahead = default;
                if (fetches && stop < end)
                    ahead = _groups.Ahead(stop, Math.Min(stop + rows, end), _groups.SourceRows(row, stop).End, x, _inputRow, dy, _outputRow);
                else if (fetches && image + 1 < images)
                    ahead = _groups.Ahead(first, Math.Min(first + rows, end), 0, x + _inputLength, _inputRow, dy + _outputLength, _outputRow);

                AddBand(x, dy, dw, row, stop, firstChannel, channels, edge, ahead);
            }

            x += _inputLength;
            dy += _outputLength;
        }
    }

    [SkipLocalsInit]
    private void AddBand(float* x, float* dy, float* dw, int first, int end, int firstChannel, int channels, float* edge, in FetchAhead ahead)
    {
        float* compact = stackalloc float[_groups!.Length + AlignedMemory.AlignmentFloats];
        compact = AlignedMemory.Align(compact);
        (int firstInput, int endInput) = _groups.SourceRows(first, end);
        nint pixels = (endInput - firstInput) * _inputRow / _channels, outputPixels = (end - first) * _outputRow / _channels;
        float* compactDy = compact + (pixels * _groups.Channels);
        for (int done = 0; done < channels; done += _groups.Channels)
        {
            int channel = firstChannel + done, count = Math.Min(_groups.Channels, channels - done);
            _groups.Copy<TVector>(x + (firstInput * _inputRow) + channel, pixels, compact, count);
            _groups.Copy<TVector>(dy + (first * _outputRow) + channel, outputPixels, compactDy, count);
            FetchAhead groupAhead = ahead.Of(done / _groups.Channels, (channels + _groups.Channels - 1) / _groups.Channels);
            int line = 0;
            foreach (ref readonly WindowRun run in _cross.AsSpan())
            {
                WindowRun cross = run.Between(first, end);
                if (cross.Count > 0 && cross.Taps > 0)
                    AddBlock(compact - (firstInput * _inputCross), compactDy - (first * _outputCross), dw + channel, cross, count, edge, groupAhead.Of(line, line + cross.Count, end - first));

                line += cross.Count;
            }
        }
    }

    private void AddBlock(float* x, float* dy, float* gradient, in WindowRun cross, int channels, float* edge, in FetchAhead ahead)
    {
        var tile = new DepthwiseGradientTile
        {
            InputStep = _inputStep,
            InputCross = cross.SourceTapStep * _inputCross,
            InputLine = cross.SourceStep * _inputCross,
            OutputLine = cross.Step * _outputCross,
            GradientCross = cross.TapStep * _tapAcross,
            Edge = edge,
        };
        for (int i = 0; i < _runs.Length; i++)
        {
            ref readonly Run run = ref _runs[i];
            int several = Several(run, channels), asking = several > 0 ? several : channels;
            FetchAhead runAhead = ahead.Of(i, _runs.Length).Parts(Math.Max(1, asking / TVector.Lanes), cross.Count);
            tile.OutputStep = run.OutputStep;
            tile.First = run.First;
            tile.End = run.End;
            tile.Outputs = run.Outputs;
            tile.GradientTap = run.TapStep * _tapAlong;
            int lines = _alongRow ? 1 : cross.Count;
            for (int line = 0; line < lines; line += tile.Lines)
            {
                tile.AheadLine = line;
                tile.Lines = Math.Min(run.Lines, lines - line);
                for (int tap = 0; tap < cross.Taps; tap += run.MostCross)
                {
                    int taps = Math.Min(run.MostCross, cross.Taps - tap);
                    tile.Ahead = runAhead;
                    tile.Input = x + (cross.Source * _inputCross) + (line * tile.InputLine) + (tap * tile.InputCross) + run.Input;
                    tile.OutputGradient = dy + (cross.First * _outputCross) + (line * tile.OutputLine) + run.Output;
                    tile.Gradient = gradient + ((cross.FirstTap + (tap * cross.TapStep)) * _tapAcross) + (run.Tap * _tapAlong);
                    AddChannels(ref tile, run, taps, several, channels);
                }
            }
        }
    }

    /// <summary>Of some channels those that go several vectors at once.</summary>
    private static int Several(in Run run, int channels) => run.HasSeveral ? channels - (channels % (ThreeTapGradientMicroKernel.Vectors * TVector.Lanes)) : 0;

    /// <summary>Several vectors of channels at once, those that are left, and the part of a last one: the first of these calls asks for all that is needed next.</summary>
    private static void AddChannels(ref DepthwiseGradientTile tile, in Run run, int crossTaps, int several, int channels)
    {
        int whole = channels - (channels % TVector.Lanes);
        if (several > 0)
            Call(ref tile, run.Kernel(Run.SeveralVectors, crossTaps), several);

        if (several < whole)
            Call(ref tile, run.Kernel(Run.WholeVectors, crossTaps), whole - several);

        if (whole < channels)
        {
            float* gradient = tile.Gradient;
            Call(ref tile, run.Kernel(Run.PartialVector, crossTaps), channels - whole);
            for (int row = 0; row < crossTaps; row++)
                EdgeColumn.Store<TVector>(tile.Edge + (row * run.Taps * TVector.Lanes), gradient + (row * tile.GradientCross), tile.GradientTap, run.Taps, channels - whole);
        }
    }

    /// <summary>Runs a kernel on some channels, and goes on to those behind them.</summary>
    private static void Call(ref DepthwiseGradientTile tile, delegate*<in DepthwiseGradientTile, void> kernel, int channels)
    {
        tile.Channels = channels;
        kernel(in tile);
        tile.Skip(channels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddColumns(float* wide, float* dw)
    {
        for (int tap = 0; tap < _taps; tap++)
        {
            for (int channel = 0; channel < _channels; channel += TVector.Lanes)
            {
                int lanes = Math.Min(TVector.Lanes, _channels - channel);
                TVector sum = TVector.LoadPartial(dw + channel, lanes);
                for (int i = channel; i < _width; i += _channels)
                    sum += TVector.LoadPartial(wide + i, lanes);

                TVector.StorePartial(dw + channel, sum, lanes);
            }

            wide += _width;
            dw += _channels;
        }
    }

    /// <summary>A segment of a run of outputs, its offsets in floats, and its kernels.</summary>
    private readonly struct Run
    {
        public const int WholeVectors = 0, PartialVector = 1, SeveralVectors = 2, Parts = 3;

        public required nint Input { get; init; }

        public required nint Output { get; init; }

        public required nint OutputStep { get; init; }

        public required int First { get; init; }

        public required int End { get; init; }

        public required int Outputs { get; init; }

        public required int Tap { get; init; }

        public required int TapStep { get; init; }

        public required int Taps { get; init; }

        public required int MostCross { get; init; }

        /// <summary>The most lines of a call.</summary>
        public required int Lines { get; init; }

        /// <summary>By what a call takes of the channels, and by the taps across.</summary>
        public required nint[,] Kernels { get; init; }

        /// <summary>Whether there are kernels for several vectors of channels at once.</summary>
        public bool HasSeveral => Kernels[SeveralVectors, 0] != 0;

        public delegate*<in DepthwiseGradientTile, void> Kernel(int part, int crossTaps) =>
            (delegate*<in DepthwiseGradientTile, void>)Kernels[part, crossTaps - 1];
    }
}
