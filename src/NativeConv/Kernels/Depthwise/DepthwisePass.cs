using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// One direction of a depthwise convolution with one output a channel, prepared for one geometry: forward, or its input gradient, which reads dy
/// with flipped taps. With few channels and neighbouring columns a vector runs over the row's (column, channel) pairs instead of over
/// channels, against weights repeated periodically; tiles then run down the rows. Immutable and shared by all workers.
/// </summary>
internal sealed unsafe class DepthwisePass
{
    /// <summary>Below so many channels vectors run along the row: decided by the shape alone, and without effect on any value's order of summation.</summary>
    public const int FewChannels = 16;

    private readonly WindowRun[] _rows, _columns;
    private readonly int _sourceHeight, _sourceWidth, _resultHeight, _resultWidth, _channels, _taps, _kernelWidth;

    private DepthwisePass(in Conv2DGeometry g, int channels, bool transposed)
    {
        _rows = transposed ? WindowAxis.BackwardRows(g) : WindowAxis.ForwardRows(g);
        _columns = transposed ? WindowAxis.BackwardColumns(g) : WindowAxis.ForwardColumns(g);
        _sourceHeight = transposed ? g.OutputHeight : g.InputHeight;
        _sourceWidth = transposed ? g.OutputWidth : g.InputWidth;
        _resultHeight = transposed ? g.InputHeight : g.OutputHeight;
        _resultWidth = transposed ? g.InputWidth : g.OutputWidth;
        _channels = channels;
        _kernelWidth = g.KernelWidth;
        _taps = g.KernelHeight * g.KernelWidth;
    }

    public static DepthwisePass Forward(in Conv2DGeometry geometry, int channels) => new(geometry, channels, transposed: false);

    public static DepthwisePass BackwardInput(in Conv2DGeometry geometry, int channels) => new(geometry, channels, transposed: true);

    /// <summary>Floats of one tap's packed weights: at least a vector more than the period, so that any phase loads whole.</summary>
    private int PackedRow<TVector>()
        where TVector : struct, IVector<TVector> => (_channels + (2 * TVector.Lanes) - 1) / TVector.Lanes * TVector.Lanes;

    /// <summary>Floats that the packed weights need.</summary>
    public int PackedLength<TVector>()
        where TVector : struct, IVector<TVector> => (_taps + 1) * PackedRow<TVector>();

    /// <summary>Packs weights [kh, kw, c] and the biases (or zeros): a row for the biases, then one a tap, repeated past the end.</summary>
    public void Pack<TVector>(float* weights, float* bias, float* packed)
        where TVector : struct, IVector<TVector>
    {
        int row = PackedRow<TVector>();
        for (int i = 0; i < row; i++)
            packed[i] = bias == null ? 0 : bias[i % _channels];

        for (int tap = 0; tap < _taps; tap++)
        {
            packed += row;
            for (int i = 0; i < row; i++)
                packed[i] = weights[i % _channels];

            weights += _channels;
        }
    }

    /// <summary>Writes the results of some images.</summary>
    public void Run<TVector>(float* source, float* packed, float* result, int images)
        where TVector : struct, IVector<TVector>
    {
        for (int image = 0; image < images; image++)
        {
            foreach (ref readonly WindowRun rows in _rows.AsSpan())
            {
                foreach (ref readonly WindowRun columns in _columns.AsSpan())
                    Rectangle<TVector>(source, packed, result, rows, columns);
            }

            source += (nint)_sourceHeight * _sourceWidth * _channels;
            result += (nint)_resultHeight * _resultWidth * _channels;
        }
    }

    private void Rectangle<TVector>(float* source, float* packed, float* result, in WindowRun rows, in WindowRun columns)
        where TVector : struct, IVector<TVector>
    {
        nint sourceRow = (nint)_sourceWidth * _channels, resultRow = (nint)_resultWidth * _channels;
        nint packedRow = PackedRow<TVector>();
        bool empty = rows.Taps == 0 || columns.Taps == 0;
        nint xLine = rows.SourceStep * sourceRow, xPixel = (nint)columns.SourceStep * _channels;
        nint yLine = rows.Step * resultRow, yPixel = (nint)columns.Step * _channels;
        int lines = rows.Count, pixels = columns.Count;
        var tile = new DepthwiseTile
        {
            Bias = packed,
            Weights = packed + ((1 + (rows.FirstTap * _kernelWidth) + columns.FirstTap) * packedRow),
            TapRows = rows.Taps,
            TapColumns = empty ? 0 : columns.Taps,
            InputTapRow = rows.SourceTapStep * sourceRow,
            InputTapColumn = (nint)columns.SourceTapStep * _channels,
            WeightTapRow = rows.TapStep * _kernelWidth * packedRow,
            WeightTapColumn = columns.TapStep * packedRow,
            Channels = _channels,
            Period = _channels,
        };
        if (_channels < FewChannels && columns.SourceStep == 1 && columns.Step == 1)
        {
            tile.Channels = _channels * pixels;
            pixels = lines;
            lines = 1;
            (xPixel, yPixel) = (xLine, yLine);
        }
        else if (pixels < lines && pixels < DepthwiseMicroKernel.MaximumRows / 2)
        {
            (lines, pixels) = (pixels, lines);
            (xLine, xPixel) = (xPixel, xLine);
            (yLine, yPixel) = (yPixel, yLine);
        }

        tile.InputStride = xPixel;
        tile.OutputStride = yPixel;
        float* x = empty ? source : source + (rows.Source * sourceRow) + ((nint)columns.Source * _channels);
        float* y = result + (rows.First * resultRow) + ((nint)columns.First * _channels);
        int tiles = (pixels + DepthwiseMicroKernel.MaximumRows - 1) / DepthwiseMicroKernel.MaximumRows;
        int shortRows = pixels / tiles, longTiles = pixels % tiles;
        for (int line = 0; line < lines; line++)
        {
            tile.Input = x + (line * xLine);
            tile.Output = y + (line * yLine);
            tile.Tiles = longTiles;
            if (longTiles > 0)
                DepthwiseMicroKernel.Run<TVector>(shortRows + 1, in tile);

            tile.Input += (nint)longTiles * (shortRows + 1) * xPixel;
            tile.Output += (nint)longTiles * (shortRows + 1) * yPixel;
            tile.Tiles = tiles - longTiles;
            DepthwiseMicroKernel.Run<TVector>(shortRows, in tile);
        }
    }
}
