using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Weight and bias gradients of a convolution, prepared for one geometry: dw [kh, kw, cin/groups, cout] += sum over output pixels of
/// x [pixel + tap, cin] * dy [pixel, cout], and db [cout] += sum of dy [pixel, cout]. Each tap visits only the pixels where it lies inside the image.
/// </summary>
internal sealed unsafe class ConvolutionWeightGradient(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
{
    /// <summary>Below so many input channels a tile's rows run over the taps of a kernel row as well.</summary>
    private const int FewChannels = 6;

    private readonly Conv2DGeometry _g = geometry;
    private readonly WindowRun[] _columns = WindowAxis.ForwardColumns(geometry);

    private int InputGroup => inputChannels / groups;

    private int OutputGroup => outputChannels / groups;

    /// <summary>Adds the gradient of some images to <paramref name="dw"/>.</summary>
    public void Run<TVector>(float* x, float* dy, float* dw, int images)
        where TVector : struct, IVector<TVector>
    {
        bool tapsFollow = InputGroup == 1 || (groups == 1 && _g.DilationWidth == 1 && inputChannels <= FewChannels);
        for (int image = 0; image < images; image++)
        {
            for (int group = 0; group < groups; group++)
            {
                float* groupX = x + (group * InputGroup), groupDy = dy + (group * OutputGroup), groupDw = dw + (group * OutputGroup);
                for (int tapRow = 0; tapRow < _g.KernelHeight; tapRow++)
                {
                    (int firstRow, int endRow) = ValidOutputs(tapRow, _g.StrideHeight, _g.DilationHeight, _g.PadTop, _g.InputHeight, _g.OutputHeight);
                    if (firstRow == endRow)
                        continue;

                    if (tapsFollow)
                        KernelRow<TVector>(groupX, groupDy, groupDw, tapRow, firstRow, endRow);
                    else
                        EachTap<TVector>(groupX, groupDy, groupDw, tapRow, firstRow, endRow);
                }
            }

            x += (nint)_g.InputPixels * inputChannels;
            dy += (nint)_g.OutputPixels * outputChannels;
        }
    }

    private void EachTap<TVector>(float* x, float* dy, float* dw, int tapRow, int firstRow, int endRow)
        where TVector : struct, IVector<TVector>
    {
        for (int tapColumn = 0; tapColumn < _g.KernelWidth; tapColumn++)
        {
            (int first, int end) = ValidOutputs(tapColumn, _g.StrideWidth, _g.DilationWidth, _g.PadLeft, _g.InputWidth, _g.OutputWidth);
            if (first < end)
                Tap<TVector>(x, dy, dw, tapRow, tapColumn, firstRow, endRow, first, end, InputGroup, leftRow: 1);
        }
    }

    /// <summary>All taps of a kernel row at once, over each run of columns that shares them.</summary>
    private void KernelRow<TVector>(float* x, float* dy, float* dw, int tapRow, int firstRow, int endRow)
        where TVector : struct, IVector<TVector>
    {
        nint leftRow = InputGroup == 1 ? (nint)_g.DilationWidth * inputChannels : 1;
        foreach (ref readonly WindowRun run in _columns.AsSpan())
        {
            if (run.Taps > 0)
                Tap<TVector>(x, dy, dw, tapRow, run.FirstTap, firstRow, endRow, run.First, run.First + run.Count, run.Taps * InputGroup, leftRow);
        }
    }

    private void Tap<TVector>(
        float* x, float* dy, float* dw, int tapRow, int tapColumn, int firstRow, int endRow, int firstColumn, int endColumn, int rows, nint leftRow)
        where TVector : struct, IVector<TVector>
    {
        int inputRow = (firstRow * _g.StrideHeight) - _g.PadTop + (tapRow * _g.DilationHeight);
        int inputColumn = (firstColumn * _g.StrideWidth) - _g.PadLeft + (tapColumn * _g.DilationWidth);
        var tile = new WeightGradientTile
        {
            LeftRow = leftRow,
            LeftPixel = (nint)_g.StrideWidth * inputChannels,
            LeftLine = (nint)_g.StrideHeight * _g.InputWidth * inputChannels,
            RightPixel = outputChannels,
            RightLine = (nint)_g.OutputWidth * outputChannels,
            Pixels = endColumn - firstColumn,
            Lines = endRow - firstRow,
            GradientRow = outputChannels,
        };
        float* left = x + (((nint)inputRow * _g.InputWidth) + inputColumn) * inputChannels;
        float* right = dy + (((nint)firstRow * _g.OutputWidth) + firstColumn) * outputChannels;
        float* gradient = dw + (((nint)tapRow * _g.KernelWidth) + tapColumn) * InputGroup * outputChannels;

        int columns = OutputGroup;
        if (outputChannels == 1 && leftRow == 1)
        {
            // One output: lanes run over the input's channels instead.
            float* exchanged = left;
            left = right;
            right = exchanged;
            (tile.LeftPixel, tile.RightPixel) = (tile.RightPixel, tile.LeftPixel);
            (tile.LeftLine, tile.RightLine) = (tile.RightLine, tile.LeftLine);
            (rows, columns) = (1, rows);
        }

        int most = ConvolutionMicroKernel.MaximumRows<TVector>();
        int tiles = (rows + most - 1) / most;
        int width = 2 * TVector.Lanes;
        for (int t = 0, row = 0; t < tiles; t++)
        {
            int tileRows = (rows - row + tiles - t - 1) / (tiles - t);
            tile.Left = left + (row * tile.LeftRow);
            for (int column = 0; column < columns; column += width)
            {
                tile.Right = right + column;
                tile.Gradient = gradient + (row * tile.GradientRow) + column;
                tile.Channels = Math.Min(width, columns - column);
                WeightGradientMicroKernel.Run<TVector>(tileRows, in tile);
            }

            row += tileRows;
        }
    }

    /// <summary>The outputs of an axis for which a tap lies inside the input.</summary>
    private static (int First, int End) ValidOutputs(int tap, int stride, int dilation, int pad, int inputs, int outputs)
    {
        long shift = ((long)tap * dilation) - pad;
        long first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
        long end = shift >= inputs ? 0 : Math.Min(outputs, ((inputs - 1 - shift) / stride) + 1);
        return first >= end ? (0, 0) : ((int)first, (int)end);
    }
}
