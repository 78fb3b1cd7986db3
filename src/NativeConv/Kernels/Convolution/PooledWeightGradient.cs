using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a convolution of few input channels behind a 2x2 max-pooling, from the pooling's gradient and its winners: lanes are outputs, and each picks the x that its window's winner
/// saw out of the four that the window's cells see through a tap. Those fours are laid side by side first. A quarter of the multiply-adds of the gradient spread over the image, which is never written.
/// Order of summation: windows in row order, images in order.
/// </summary>
internal sealed unsafe class PooledWeightGradient
{
    /// <summary>Taps of a tile, whose sums stay in registers over a band.</summary>
    private const int TileRows = 3, TileColumns = 3;

    /// <summary>The pooling's gradient of a band, which every vector of outputs reads half a line at a time, and its fours stay in the first-level cache.</summary>
    private const int BandBytes = 16 * 1024;

    /// <summary>Beyond, laying out a band costs more than it saves.</summary>
    private const int MostFoursBytes = 64 * 1024;

    private readonly Conv2DGeometry _g;
    private readonly int _inputChannels, _outputChannels, _height, _width, _bandRows;

    /// <summary>Rows and columns of x at which a four begins, every how many, and how many such steps a window and a tap are apart.</summary>
    private readonly Steps _rows, _columns;

    /// <summary>Floats of a row of fours.</summary>
    private readonly int _foursLine;

    /// <summary>Floats of a row of x with the zeros beside it.</summary>
    private readonly int _paddedLine;

    public PooledWeightGradient(in Conv2DGeometry geometry, int inputChannels, int outputChannels)
    {
        _g = geometry;
        (_inputChannels, _outputChannels) = (inputChannels, outputChannels);
        (_height, _width) = (geometry.OutputHeight / 2, geometry.OutputWidth / 2);
        _rows = new(2 * geometry.StrideHeight, geometry.DilationHeight);
        _columns = new(2 * geometry.StrideWidth, geometry.DilationWidth);
        _foursLine = 4 * (int)_columns.Count(_width, geometry.KernelWidth);
        _paddedLine = _columns.Reach(_foursLine / 4, geometry.StrideWidth);
        _bandRows = BandRows(geometry, outputChannels);
    }

    private static int BandRows(in Conv2DGeometry g, int outputChannels) => (int)Math.Clamp(BandBytes / ((long)sizeof(float) * (g.OutputWidth / 2) * outputChannels), 1, g.OutputHeight / 2);

    /// <summary>What a band's fours take, those between two windows' or two taps' included: many where dilations are large and share no divisor with two strides.</summary>
    private static long FoursBytes(in Conv2DGeometry g, int outputChannels)
    {
        Steps rows = new(2L * g.StrideHeight, g.DilationHeight), columns = new(2L * g.StrideWidth, g.DilationWidth);
        return 4L * sizeof(float) * rows.Count(BandRows(g, outputChannels), g.KernelHeight) * columns.Count(g.OutputWidth / 2, g.KernelWidth);
    }

    /// <summary>Whether input channels are few, outputs fill every vector, and windows of two by two cover the output.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        FoldedInputGradient.Fits(geometry, inputChannels, outputChannels, groups) && outputChannels % TreeSum.Values == 0
        && geometry.OutputHeight % 2 == 0 && geometry.OutputWidth % 2 == 0 && FoursBytes(geometry, outputChannels) <= MostFoursBytes;

    public int ScratchLength
    {
        get
        {
            int lines = (int)_rows.Count(_bandRows, _g.KernelHeight);
            return (lines * _foursLine) + (_rows.Reach(lines, _g.StrideHeight) * _paddedLine);
        }
    }

    /// <summary>How fours follow each other along an axis on which every so many cells a window begins, and a tap.</summary>
    private readonly struct Steps
    {
        public Steps(long window, long tap)
        {
            long cells = GreatestCommonDivisor(window, tap);
            (Cells, Window, Tap) = ((int)cells, (int)(window / cells), (int)(tap / cells));
        }

        /// <summary>Cells from a four to the next.</summary>
        public int Cells { get; }

        /// <summary>Fours from a window to the next.</summary>
        public int Window { get; }

        /// <summary>Fours from a tap to the next.</summary>
        public int Tap { get; }

        public long Count(int windows, int taps) => ((windows - 1L) * Window) + ((taps - 1L) * Tap) + 1;

        /// <summary>Cells from the first that some fours hold to the last, whose own cells are a stride apart.</summary>
        public int Reach(int fours, int stride) => ((fours - 1) * Cells) + stride + 1;

        private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
    }

    /// <summary>Some taps of one input channel, and a vector of outputs, over a band.</summary>
    private ref struct Tile
    {
        /// <summary>The first window's four of the first tap; floats from a window to the next, from a row of windows, from a tap to the next, and from a row of taps.</summary>
        public float* Fours;
        public nint FoursWindow, FoursRow, FoursTap, FoursTapRow;

        /// <summary>The pooling's gradient and winners; values from a window to the next, whose rows follow each other.</summary>
        public float* Pooled;
        public byte* Winners;
        public nint PooledWindow;
        public int Rows, Columns;

        /// <summary>The first tap's sums; floats from a tap to the next, and from a row of taps.</summary>
        public float* Gradient;
        public nint GradientTap, GradientTapRow;
    }

    /// <summary>Adds the gradient of some images to dw [kh, kw, cin, cout], from pooled gradients and winners [images, height, width, cout]. A gradient without a winner must be 0.</summary>
    public void Run<TVector>(float* x, float* pooled, byte* winners, float* dw, float* fours, int images)
        where TVector : struct, IVector<TVector>
    {
        for (int image = 0; image < images; image++)
        {
            for (int first = 0; first < _height; first += _bandRows)
            {
                int rows = Math.Min(_bandRows, _height - first);
                nint start = (nint)first * _width * _outputChannels;
                for (int channel = 0; channel < _inputChannels; channel++)
                {
                    LayFours(x + channel, first, rows, fours);
                    Band<TVector>(fours, pooled + start, winners + start, rows, dw + (channel * _outputChannels));
                }
            }

            x += (nint)_g.InputPixels * _inputChannels;
            pooled += (nint)_height * _width * _outputChannels;
            winners += (nint)_height * _width * _outputChannels;
        }
    }

    /// <summary>Lays side by side what the four cells of each window see through each tap, from a copy of the band's part of x with zeros around the image.</summary>
    private void LayFours(float* x, int firstRow, int rows, float* fours)
    {
        int lines = (int)_rows.Count(rows, _g.KernelHeight), top = (2 * firstRow * _g.StrideHeight) - _g.PadTop;
        float* padded = fours + (_rows.Count(_bandRows, _g.KernelHeight) * _foursLine);
        for (int line = 0; line < _rows.Reach(lines, _g.StrideHeight); line++)
            PaddedRow.Copy(x, top + line, _g.InputHeight, (nint)_g.InputWidth * _inputChannels, _g.PadLeft, _g.InputWidth, _inputChannels, new(padded + (line * _paddedLine), _paddedLine));

        for (int line = 0; line < lines; line++)
            LayLine(padded + ((nint)line * _rows.Cells * _paddedLine), (nint)_g.StrideHeight * _paddedLine, fours + (line * _foursLine));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void LayLine(float* above, nint down, float* fours)
    {
        nint right = _g.StrideWidth, step = _columns.Cells;
        for (float* end = fours + _foursLine; fours < end; fours += 4, above += step)
        {
            fours[0] = above[0];
            fours[1] = above[right];
            fours[2] = above[down];
            fours[3] = above[down + right];
        }
    }

    private void Band<TVector>(float* fours, float* pooled, byte* winners, int rows, float* dw)
        where TVector : struct, IVector<TVector>
    {
        nint tap = (nint)_inputChannels * _outputChannels, tapRow = _g.KernelWidth * tap;
        for (int channel = 0; channel < _outputChannels; channel += TVector.Lanes)
        {
            for (int row = 0; row < _g.KernelHeight; row += TileRows)
            {
                for (int column = 0; column < _g.KernelWidth; column += TileColumns)
                {
                    var tile = new Tile
                    {
                        Fours = fours + ((nint)row * _rows.Tap * _foursLine) + (4 * column * _columns.Tap),
                        FoursWindow = 4 * _columns.Window, FoursRow = (nint)_rows.Window * _foursLine, FoursTap = 4 * _columns.Tap, FoursTapRow = (nint)_rows.Tap * _foursLine,
                        Pooled = pooled + channel, Winners = winners + channel, PooledWindow = _outputChannels, Rows = rows, Columns = _width,
                        Gradient = dw + (row * tapRow) + (column * tap) + channel, GradientTap = tap, GradientTapRow = tapRow,
                    };
                    int taps = Math.Min(TileColumns, _g.KernelWidth - column);
                    switch (Math.Min(TileRows, _g.KernelHeight - row))
                    {
                        case 1:
                            Columns<TVector, N1>(taps, tile);
                            break;
                        case 2:
                            Columns<TVector, N2>(taps, tile);
                            break;
                        default:
                            Columns<TVector, N3>(taps, tile);
                            break;
                    }
                }
            }
        }
    }

    private static void Columns<TVector, TRows>(int taps, in Tile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
    {
        if (taps == 1)
            Sum<TVector, TRows, N1>(tile);
        else if (taps == 2)
            Sum<TVector, TRows, N2>(tile);
        else
            Sum<TVector, TRows, N3>(tile);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TVector, TRows, TColumns>(in Tile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        float* dw = tile.Gradient;
        nint tap = tile.GradientTap, tapRow = tile.GradientTapRow;
        TVector c00 = TVector.Load(dw), c01 = TVector.Zero, c02 = TVector.Zero, c10 = TVector.Zero, c11 = TVector.Zero, c12 = TVector.Zero, c20 = TVector.Zero, c21 = TVector.Zero, c22 = TVector.Zero;
        if (TColumns.Value > 1)
            c01 = TVector.Load(dw + tap);

        if (TColumns.Value > 2)
            c02 = TVector.Load(dw + (2 * tap));

        if (TRows.Value > 1)
        {
            float* second = dw + tapRow;
            c10 = TVector.Load(second);
            if (TColumns.Value > 1)
                c11 = TVector.Load(second + tap);

            if (TColumns.Value > 2)
                c12 = TVector.Load(second + (2 * tap));
        }

        if (TRows.Value > 2)
        {
            float* third = dw + (2 * tapRow);
            c20 = TVector.Load(third);
            if (TColumns.Value > 1)
                c21 = TVector.Load(third + tap);

            if (TColumns.Value > 2)
                c22 = TVector.Load(third + (2 * tap));
        }

        float* pooled = tile.Pooled, row = tile.Fours;
        byte* winners = tile.Winners;
        nint next = tile.FoursTap, nextRow = tile.FoursTapRow, window = tile.FoursWindow, step = tile.PooledWindow;
        for (int line = tile.Rows; line > 0; line--, row += tile.FoursRow)
        {
            float* four = row;
            for (int column = tile.Columns; column > 0; column--, four += window, pooled += step, winners += step)
            {
                TVector gradient = TVector.Load(pooled), winner = TVector.LoadNumbers(winners);
                TVector.Accumulate(ref c00, gradient, TVector.Pick(four, winner));
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref c01, gradient, TVector.Pick(four + next, winner));

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c02, gradient, TVector.Pick(four + (2 * next), winner));

                if (TRows.Value > 1)
                {
                    float* second = four + nextRow;
                    TVector.Accumulate(ref c10, gradient, TVector.Pick(second, winner));
                    if (TColumns.Value > 1)
                        TVector.Accumulate(ref c11, gradient, TVector.Pick(second + next, winner));

                    if (TColumns.Value > 2)
                        TVector.Accumulate(ref c12, gradient, TVector.Pick(second + (2 * next), winner));
                }

                if (TRows.Value > 2)
                {
                    float* third = four + (2 * nextRow);
                    TVector.Accumulate(ref c20, gradient, TVector.Pick(third, winner));
                    if (TColumns.Value > 1)
                        TVector.Accumulate(ref c21, gradient, TVector.Pick(third + next, winner));

                    if (TColumns.Value > 2)
                        TVector.Accumulate(ref c22, gradient, TVector.Pick(third + (2 * next), winner));
                }
            }
        }

        TVector.Store(dw, c00);
        if (TColumns.Value > 1)
            TVector.Store(dw + tap, c01);

        if (TColumns.Value > 2)
            TVector.Store(dw + (2 * tap), c02);

        if (TRows.Value > 1)
        {
            float* second = dw + tapRow;
            TVector.Store(second, c10);
            if (TColumns.Value > 1)
                TVector.Store(second + tap, c11);

            if (TColumns.Value > 2)
                TVector.Store(second + (2 * tap), c12);
        }

        if (TRows.Value > 2)
        {
            float* third = dw + (2 * tapRow);
            TVector.Store(third, c20);
            if (TColumns.Value > 1)
                TVector.Store(third + tap, c21);

            if (TColumns.Value > 2)
                TVector.Store(third + (2 * tap), c22);
        }
    }
}
