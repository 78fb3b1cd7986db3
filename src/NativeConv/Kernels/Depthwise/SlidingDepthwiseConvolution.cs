using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Depthwise 3 x 3 with one output a channel, stride 1, and pads as wide as the dilation: the case that networks are made of.</summary>
internal sealed unsafe class SlidingDepthwiseConvolution<TVector>(in Conv2DGeometry geometry, int channels) : ConvolutionAlgorithm<TVector>
    where TVector : struct, IVector<TVector>
{
    private const int Taps = 9;

    /// <summary>What a band of rows of x, dy and dx should stay below, so that the second-level cache keeps it while each channel vector passes.</summary>
    private const int BandBytes = 256 * 1024;

    private readonly int _height = geometry.InputHeight, _width = geometry.InputWidth, _dilation = geometry.DilationHeight;

    /// <summary>Whether a geometry is of this kind: decided by the shape alone. Few channels leave vectors empty.</summary>
    public static bool Takes(in Conv2DGeometry g, int channels) =>
        channels >= DepthwisePass.FewChannels && (g.KernelHeight, g.KernelWidth, g.StrideHeight, g.StrideWidth) == (3, 3, 1, 1)
        && g.DilationHeight == g.DilationWidth
        && (g.PadTop, g.PadBottom, g.PadLeft, g.PadRight) == (g.DilationHeight, g.DilationHeight, g.DilationHeight, g.DilationHeight);

    private nint RowLength => (nint)_width * channels;

    private nint ImageLength => _height * RowLength;

    private int PackedRow => (channels + TVector.Lanes - 1) / TVector.Lanes * TVector.Lanes;

    public override int ForwardPackedLength => (Taps + 1) * PackedRow;

    public override int BackwardPackedLength => ForwardPackedLength;

    public override void PackForward(float* weights, float* bias, float* packed)
    {
        int row = PackedRow;
        var to = new Span<float>(packed, ForwardPackedLength);
        to.Clear();
        if (bias != null)
            new Span<float>(bias, channels).CopyTo(to);

        for (int tap = 0; tap < Taps; tap++)
            new Span<float>(weights + (tap * channels), channels).CopyTo(to[((tap + 1) * row)..]);
    }

    public override void PackBackward(float* weights, float* packed) => PackForward(weights, null, packed);

    public override void Forward(float* x, float* packed, float* y, float* scratch, int images)
    {
        for (int image = 0; image < images; image++)
            Slide(x + (image * ImageLength), packed, y + (image * ImageLength), channels, RowLength);
    }

    /// <summary>The same from the last pixel to the first, where the taps lie mirrored.</summary>
    public override void BackwardInput(float* dy, float* packed, float* dx, float* scratch, int images)
    {
        nint last = ImageLength - channels;
        for (int image = 0; image < images; image++)
            Slide(dy + (image * ImageLength) + last, packed, dx + (image * ImageLength) + last, -channels, -RowLength);
    }

    public override void BackwardWeights(float* x, float* dy, float* dw, float* scratch, int images)
    {
        for (int image = 0; image < images; image++)
            Gradients(x + (image * ImageLength), dy + (image * ImageLength), null, null, dw);
    }

    public override void Backward(float* x, float* dy, float* packed, float* dx, float* dw, float* scratch, int images)
    {
        if (!DepthwiseSlidingGradientKernel.InOneSweep<TVector>())
        {
            base.Backward(x, dy, packed, dx, dw, scratch, images);
            return;
        }

        for (int image = 0; image < images; image++)
            Gradients(x + (image * ImageLength), dy + (image * ImageLength), packed, dx + (image * ImageLength), dw);
    }

    private void Slide(float* source, float* packed, float* result, nint pixel, nint row)
    {
        var tile = new SlidingTile
        {
            Row = _dilation * row,
            Pixel = pixel,
            Columns = _width,
            Dilation = _dilation,
            Packed = packed,
            PackedRow = PackedRow,
            Channels = channels,
        };
        int most = DepthwiseSlidingKernel.MostRows<TVector>();
        for (int group = 0; group < _height; group += most * _dilation)
        {
            for (int first = group; first < Math.Min(_height, group + _dilation); first++)
            {
                int rows = Math.Min(most, (_height - first + _dilation - 1) / _dilation);
                tile.Input = source + (first * row);
                tile.Output = result + (first * row);
                DepthwiseSlidingKernel.Run<TVector>(rows, first >= _dilation, first + (rows * _dilation) < _height, in tile);
            }
        }
    }

    /// <summary>Visits an image's rows from the last, in bands whose rows of dy are all there.</summary>
    private void Gradients(float* x, float* dy, float* packed, float* dx, float* dw)
    {
        nint last = ImageLength - channels, row = -RowLength;
        var tile = new SlidingGradientTile
        {
            Row = row,
            Pixel = -channels,
            Columns = _width,
            Dilation = _dilation,
            Weights = packed + PackedRow,
            WeightTap = PackedRow,
            Gradient = dw,
            GradientTap = channels,
            Channels = channels,
        };
        int band = (int)Math.Clamp(BandBytes / (3 * RowLength * sizeof(float)), 1, _height);
        for (int first = 0; first < _height;)
        {
            bool above = first >= _dilation, below = first + _dilation < _height;
            int end = Math.Min(_height, first + band);
            if (!above)
                end = Math.Min(end, _dilation);

            if (below)
                end = Math.Min(end, _height - _dilation);

            tile.Rows = end - first;
            tile.Input = x + last + (first * row);
            tile.OutputGradient = dy + last + (first * row);
            tile.InputGradient = dx == null ? null : dx + last + (first * row);
            DepthwiseSlidingGradientKernel.Run<TVector>(above, below, in tile);
            first = end;
        }
    }
}
