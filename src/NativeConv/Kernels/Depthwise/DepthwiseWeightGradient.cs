using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a depthwise convolution with one output a channel: dw [kh, kw, c] += sum over output pixels of x [pixel + tap, c] * dy [pixel, c]. The
/// plane is cut into rectangles whose taps inside the image are the same. With few channels a vector runs over the row's (column,
/// channel) pairs into a gradient as wide as the row, which is then added over the columns in order.
/// </summary>
internal sealed unsafe class DepthwiseWeightGradient(in Conv2DGeometry geometry, int channels)
{
    private readonly Conv2DGeometry _g = geometry;
    private readonly WindowRun[] _rows = WindowAxis.ForwardRows(geometry);
    private readonly WindowRun[] _columns = WindowAxis.ForwardColumns(geometry);

    private bool AlongRow => channels < DepthwisePass.FewChannels && _g.StrideWidth == 1;

    private int Taps => _g.KernelHeight * _g.KernelWidth;

    /// <summary>Floats of a worker's scratch that <see cref="Run"/> needs.</summary>
    public int ScratchLength => AlongRow ? checked(Taps * _g.OutputWidth * channels) : 0;

    /// <summary>Adds the gradient of some images to <paramref name="dw"/>.</summary>
    public void Run<TVector>(float* x, float* dy, float* dw, float* scratch, int images)
        where TVector : struct, IVector<TVector>
    {
        int wide = _g.OutputWidth * channels;
        for (int image = 0; image < images; image++)
        {
            if (AlongRow)
                new Span<float>(scratch, ScratchLength).Clear();

            foreach (ref readonly WindowRun rows in _rows.AsSpan())
            {
                foreach (ref readonly WindowRun columns in _columns.AsSpan())
                {
                    if (rows.Taps > 0 && columns.Taps > 0)
                        Rectangle<TVector>(x, dy, AlongRow ? scratch + (columns.First * channels) : dw, AlongRow ? wide : channels, rows, columns);
                }
            }

            if (AlongRow)
                AddColumns(scratch, dw, wide);

            x += (nint)_g.InputPixels * channels;
            dy += (nint)_g.OutputPixels * channels;
        }
    }

    private void Rectangle<TVector>(float* x, float* dy, float* gradient, nint gradientTap, in WindowRun rows, in WindowRun columns)
        where TVector : struct, IVector<TVector>
    {
        nint inputRow = (nint)_g.InputWidth * channels, outputRow = (nint)_g.OutputWidth * channels;
        var tile = new DepthwiseGradientTile
        {
            InputPixel = (nint)_g.StrideWidth * channels,
            InputLine = _g.StrideHeight * inputRow,
            InputTapRow = _g.DilationHeight * inputRow,
            InputTapColumn = (nint)_g.DilationWidth * channels,
            OutputGradient = dy + (rows.First * outputRow) + ((nint)columns.First * channels),
            OutputPixel = channels,
            OutputLine = outputRow,
            Pixels = columns.Count,
            Lines = rows.Count,
            GradientTapRow = _g.KernelWidth * gradientTap,
            GradientTapColumn = gradientTap,
            Channels = channels,
        };
        if (AlongRow)
        {
            tile.Channels = channels * columns.Count;
            (tile.Pixels, tile.Lines) = (rows.Count, 1);
            (tile.InputPixel, tile.OutputPixel) = (tile.InputLine, tile.OutputLine);
        }

        float* input = x + (rows.Source * inputRow) + ((nint)columns.Source * channels);
        for (int tapRow = 0; tapRow < rows.Taps; tapRow += DepthwiseGradientMicroKernel.MaximumTaps)
        {
            for (int tapColumn = 0; tapColumn < columns.Taps; tapColumn += DepthwiseGradientMicroKernel.MaximumTaps)
            {
                tile.Input = input + (tapRow * tile.InputTapRow) + (tapColumn * tile.InputTapColumn);
                tile.Gradient = gradient + ((rows.FirstTap + tapRow) * tile.GradientTapRow) + ((columns.FirstTap + tapColumn) * gradientTap);
                DepthwiseGradientMicroKernel.Run<TVector>(
                    Math.Min(DepthwiseGradientMicroKernel.MaximumTaps, rows.Taps - tapRow),
                    Math.Min(DepthwiseGradientMicroKernel.MaximumTaps, columns.Taps - tapColumn), in tile);
            }
        }
    }

    private void AddColumns(float* wide, float* dw, int width)
    {
        for (int tap = 0; tap < Taps; tap++)
        {
            for (int i = 0; i < width; i += channels)
            {
                for (int channel = 0; channel < channels; channel++)
                    dw[channel] += wide[i + channel];
            }

            wide += width;
            dw += channels;
        }
    }
}
