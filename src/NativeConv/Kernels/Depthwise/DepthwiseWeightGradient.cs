using System.Runtime.CompilerServices;
using NativeConv.Simd;
using NativeConv.Tensors;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a depthwise convolution with one output a channel: dw [kh, kw, c] += sum over output pixels of x [pixel + tap, c] * dy [pixel, c]. Outputs slide along
/// the row as in the forward pass; the plane is cut into blocks of lines and columns whose x and dy fit in the first-level cache, which all channel vectors visit
/// before the next block; where pixels are distant into bands of rows (<see cref="CompactGroups"/>). With few channels outputs slide down the columns and lanes run over a row's (column, channel) pairs, into a gradient as wide as the row,
/// which is then added over the columns in order. Blocks follow from the shape alone, so that the order of every sum does too.
/// </summary>
internal sealed unsafe class DepthwiseWeightGradient<TVector>
    where TVector : struct, IVector<TVector>
{
    /// <summary>What a block's x and dy should stay below.</summary>
    private const int BlockBytes = 24 * 1024;

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
        SlidingAxis axis;
        nint inputCell, outputCell;
        if (_alongRow)
        {
            axis = SlidingAxis.Forward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop);
            _cross = WindowAxis.ForwardColumns(g);
            (inputCell, _inputCross, outputCell, _outputCross) = (inputRow, channels, outputRow, channels);
            (_tapAlong, _tapAcross) = (g.KernelWidth * gradientTap, gradientTap);
        }
        else
        {
            axis = SlidingAxis.Forward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft);
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
                int tileBytes = 2 * Math.Min(DepthwiseGradientMicroKernel.MostOutputs, axis.Runs.Max(run => run.Count)) * channels * sizeof(float);
                int lines = Math.Max(1, (BlockBytes / tileBytes) - (g.KernelHeight / 2));
                _cross = [.. _cross.SelectMany(run => run.Blocks(lines))];
            }

            (_tapAlong, _tapAcross) = (gradientTap, g.KernelWidth * gradientTap);
        }

        _inputStep = axis.SourceStep * inputCell;
        var runs = new List<Run>();
        foreach (SlidingRun run in axis.Tiles(_ => DepthwiseGradientMicroKernel.MostOutputs))
        {
            foreach (SlidingSegment segment in run.Segments)
            {
                int taps = segment.IsWhole ? run.Taps : run.Taps - 1;
                int most = DepthwiseGradientMicroKernel.MostCrossTaps<TVector>(taps);
                var kernels = new nint[2, most];
                for (int cross = 1; cross <= most; cross++)
                {
                    kernels[0, cross - 1] = (nint)DepthwiseGradientMicroKernel.Get<TVector, Whole>(taps, cross, run.Count, segment);
                    kernels[1, cross - 1] = (nint)DepthwiseGradientMicroKernel.Get<TVector, Partial>(taps, cross, run.Count, segment);
                }

                runs.Add(new(
                    segment.Source * inputCell, run.First * outputCell, run.Step * outputCell, segment.First, segment.End, segment.Tap, axis.TapStep, taps, most, kernels));
            }
        }

        _runs = [.. runs];
    }

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
        int whole = channels - (channels % TVector.Lanes);
        var tile = new DepthwiseGradientTile
        {
            InputStep = _inputStep,
            InputCross = cross.SourceTapStep * _inputCross,
            InputLine = cross.SourceStep * _inputCross,
            OutputLine = cross.Step * _outputCross,
            Lines = _alongRow ? 1 : cross.Count,
            GradientCross = cross.TapStep * _tapAcross,
            Edge = edge,
        };
        int vectors = (channels + TVector.Lanes - 1) / TVector.Lanes;
        for (int i = 0; i < _runs.Length; i++)
        {
            ref readonly Run run = ref _runs[i];
            tile.Ahead = ahead.Of(i, _runs.Length).Parts(vectors, cross.Count);
            tile.OutputStep = run.OutputStep;
            tile.First = run.First;
            tile.End = run.End;
            tile.GradientTap = run.TapStep * _tapAlong;
            int most = run.MostCross;
            for (int tap = 0; tap < cross.Taps; tap += most)
            {
                int taps = Math.Min(most, cross.Taps - tap);
                tile.Input = x + (cross.Source * _inputCross) + (tap * tile.InputCross) + run.Input;
                tile.OutputGradient = dy + (cross.First * _outputCross) + run.Output;
                tile.Gradient = gradient + ((cross.FirstTap + (tap * cross.TapStep)) * _tapAcross) + (run.Tap * _tapAlong);
                tile.Channels = whole;
                if (whole > 0)
                    run.Kernel(0, taps)(in tile);

                if (whole < channels)
                {
                    tile.Input += whole;
                    tile.OutputGradient += whole;
                    tile.Gradient += whole;
                    tile.Channels = channels - whole;
                    run.Kernel(1, taps)(in tile);
                    for (int row = 0; row < taps; row++)
                    {
                        EdgeColumn.Store<TVector>(
                            edge + (row * run.Taps * TVector.Lanes), tile.Gradient + (row * tile.GradientCross), tile.GradientTap, run.Taps, tile.Channels);
                    }
                }
            }
        }
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

    /// <summary>A segment of a run of outputs, its offsets in floats, and its kernels for whole vectors and a last partial one, by the taps across.</summary>
    private readonly record struct Run(
        nint Input, nint Output, nint OutputStep, int First, int End, int Tap, int TapStep, int Taps, int MostCross, nint[,] Kernels)
    {
        public delegate*<in DepthwiseGradientTile, void> Kernel(int edge, int crossTaps) =>
            (delegate*<in DepthwiseGradientTile, void>)Kernels[edge, crossTaps - 1];
    }
}
