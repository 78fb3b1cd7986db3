using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// A convolution of few input channels and the 2x2 max-pooling that covers its output, in one: the four cells of a window are summed and compared in registers, and never written. So few channels make the
/// convolution cheaper than writing its output and reading it again. Bits are those of the one after the other, unless a weight is not finite: zeros around the image stand for taps outside. Registers: 4 cells by 3 vectors of sums, 3 of weights, 1 of x: with fewer sums a window's few taps would wait for each other.
/// </summary>
internal sealed unsafe class PooledConvolution
{
    /// <summary>With more channels a convolution's own, larger tiles are worth more than what is saved.</summary>
    private const int MostInputs = 4;

    /// <summary>What a band of x with zeros around it may take of the stack.</summary>
    private const int MostBandBytes = 32 * 1024;

    private readonly Conv2DGeometry _g;
    private readonly int _inputChannels, _outputChannels, _paddedLine, _bandRows;
    private readonly Rectifier _rectifier;

    /// <summary>From a cell's first tap and channel to each other, in the order of the weights.</summary>
    private readonly int[] _taps;

    public PooledConvolution(in Conv2DGeometry geometry, int inputChannels, int outputChannels, Rectifier rectifier)
    {
        _g = geometry;
        (_inputChannels, _outputChannels, _rectifier) = (inputChannels, outputChannels, rectifier);
        _paddedLine = (int)PaddedLine(geometry, inputChannels);
        _bandRows = BandRows(geometry, inputChannels);
        _taps = [..
            from row in Enumerable.Range(0, _g.KernelHeight)
            from column in Enumerable.Range(0, _g.KernelWidth)
            from channel in Enumerable.Range(0, inputChannels)
            select (row * _g.DilationHeight * _paddedLine) + (column * _g.DilationWidth * inputChannels) + channel];
    }

    /// <summary>Whether input channels are few, outputs fill every vector, and windows of two by two cover the output.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups) =>
        groups == 1 && inputChannels <= MostInputs && outputChannels % TreeSum.Values == 0 && geometry.OutputHeight % 2 == 0 && geometry.OutputWidth % 2 == 0 && BandRows(geometry, inputChannels) > 0;

    /// <summary>Some rows of the pooling's output of one image, and their winners unless null; addresses are those of the image's first rows. Weights and biases (or null) are as they are stored.</summary>
    public void Run<TVector>(float* x, float* weights, float* bias, float* y, byte* winners, int first, int end)
        where TVector : struct, IVector<TVector>
    {
        if (first >= end)
            return;

        float* padded = stackalloc float[(int)Lines(_g, Math.Min(_bandRows, end - first)) * _paddedLine];
        nint row = (nint)_g.OutputWidth / 2 * _outputChannels, step = (nint)2 * _g.StrideHeight * _paddedLine;
        int inputRow = _g.InputWidth * _inputChannels;
        for (int start = first; start < end; start += _bandRows)
        {
            int rows = Math.Min(_bandRows, end - start), top = (2 * start * _g.StrideHeight) - _g.PadTop;
            for (int line = 0; line < Lines(_g, rows); line++)
                PaddedRow.Copy(x, top + line, _g.InputHeight, inputRow, _g.PadLeft * _inputChannels, inputRow, 1, new(padded + (line * _paddedLine), _paddedLine));

            for (int i = 0; i < rows; i++)
                Row<TVector>(padded + (i * step), weights, bias, y + ((start + i) * row), winners == null ? null : winners + ((start + i) * row));
        }
    }

    /// <summary>Rows of x that so many rows of windows see, with the zeros around.</summary>
    private static long Lines(in Conv2DGeometry g, int rows) => g.RowsSeen(2L * rows);

    private static long PaddedLine(in Conv2DGeometry g, int inputChannels) => g.ColumnsSeen(g.OutputWidth) * inputChannels;

    /// <summary>As many rows of windows as fit the stack; 0 where not one does.</summary>
    private static int BandRows(in Conv2DGeometry g, int inputChannels)
    {
        long most = MostBandBytes / sizeof(float) / PaddedLine(g, inputChannels), least = Lines(g, 1);
        return most < least ? 0 : (int)Math.Min(g.OutputHeight / 2, ((most - least) / (2L * g.StrideHeight)) + 1);
    }

    private void Row<TVector>(float* x, float* weights, float* bias, float* y, byte* winners)
        where TVector : struct, IVector<TVector>
    {
        fixed (int* taps = _taps)
        {
            var tile = new Tile
            {
                Input = x, Right = (nint)_g.StrideWidth * _inputChannels, Below = (nint)_g.StrideHeight * _paddedLine, Taps = taps, TapCount = _taps.Length,
                Windows = _g.OutputWidth / 2, Outputs = _outputChannels, Output = y, Winners = winners, Weights = weights, Bias = bias, Rectifier = _rectifier,
            };
            int vectors;
            for (int rest = _outputChannels / TVector.Lanes; rest > 0; rest -= vectors)
            {
                vectors = rest is 2 or 4 ? 2 : Math.Min(3, rest);
                if (vectors == 3)
                    Run<TVector, N3>(tile);
                else if (vectors == 2)
                    Run<TVector, N2>(tile);
                else
                    Run<TVector, N1>(tile);

                int width = vectors * TVector.Lanes;
                tile.Weights += width;
                tile.Bias += bias == null ? 0 : width;
                tile.Output += width;
                tile.Winners += winners == null ? 0 : width;
            }
        }
    }

    /// <summary>A row of windows, and some vectors of outputs.</summary>
    private ref struct Tile
    {
        /// <summary>The first window's first cell's first tap; floats to the cell right of it and below it.</summary>
        public float* Input;
        public nint Right, Below;

        /// <summary>Where each tap and channel lies from the first.</summary>
        public int* Taps;
        public int TapCount, Windows;

        /// <summary>A row of weights a tap and channel, and the biases or null; how many outputs there are from one to the next.</summary>
        public float* Weights, Bias;
        public nint Outputs;

        /// <summary>The first window's outputs, and winners or null.</summary>
        public float* Output;
        public byte* Winners;
        public Rectifier Rectifier;
    }

    private static void Run<TVector, TColumns>(in Tile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        if (tile.Winners == null)
            Run<TVector, TColumns, N0>(tile);
        else
            Run<TVector, TColumns, N1>(tile);
    }

    /// <summary>TWinners is 1 where winners are written.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TColumns, TWinners>(in Tile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TWinners : struct, ISize
    {
        int lanes = TVector.Lanes;
        float* input = tile.Input, output = tile.Output;
        byte* winners = tile.Winners;
        nint right = tile.Right, below = tile.Below, both = right + below, outputs = tile.Outputs;
        for (int window = tile.Windows; window > 0; window--)
        {
            TVector a0 = TVector.Zero, b0 = TVector.Zero, c0 = TVector.Zero;
            if (tile.Bias != null)
            {
                a0 = TVector.Load(tile.Bias);
                if (TColumns.Value > 1)
                    b0 = TVector.Load(tile.Bias + lanes);

                if (TColumns.Value > 2)
                    c0 = TVector.Load(tile.Bias + (2 * lanes));
            }

            TVector a1 = a0, a2 = a0, a3 = a0, b1 = b0, b2 = b0, b3 = b0, c1 = c0, c2 = c0, c3 = c0;
            int* tap = tile.Taps;
            float* w = tile.Weights;
            for (int count = tile.TapCount; count > 0; count--, w += outputs)
            {
                float* x = input + *tap++;
                TVector w0 = TVector.Load(w), w1 = TColumns.Value > 1 ? TVector.Load(w + lanes) : w0, w2 = TColumns.Value > 2 ? TVector.Load(w + (2 * lanes)) : w0;
                TVector value = TVector.Broadcast(x[0]);
                TVector.Accumulate(ref a0, value, w0);
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref b0, value, w1);

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c0, value, w2);

                value = TVector.Broadcast(x[right]);
                TVector.Accumulate(ref a1, value, w0);
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref b1, value, w1);

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c1, value, w2);

                value = TVector.Broadcast(x[below]);
                TVector.Accumulate(ref a2, value, w0);
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref b2, value, w1);

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c2, value, w2);

                value = TVector.Broadcast(x[both]);
                TVector.Accumulate(ref a3, value, w0);
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref b3, value, w1);

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c3, value, w2);
            }

            MaxPool2x2.Pool<TVector, TWinners>(a0, a1, a2, a3, output, winners, tile.Rectifier);
            if (TColumns.Value > 1)
                MaxPool2x2.Pool<TVector, TWinners>(b0, b1, b2, b3, output + lanes, winners + lanes, tile.Rectifier);

            if (TColumns.Value > 2)
                MaxPool2x2.Pool<TVector, TWinners>(c0, c1, c2, c3, output + (2 * lanes), winners + (2 * lanes), tile.Rectifier);

            input += 2 * right;
            output += outputs;
            if (TWinners.Value == 1)
                winners += outputs;
        }
    }
}
