using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Input gradient of a convolution of few input channels: the products of each pixel of dy with the weights of every tap first, a pointwise convolution to [taps, input channels], which
/// are then folded, each added where its tap lies. A sum over all outputs of its own for each of few values would leave most lanes empty. Order of summation: output channels
/// ascending within a tap; then lines of dy ascending, and in a line taps from the left.
/// </summary>
internal sealed unsafe class FoldedInputGradient
{
    /// <summary>Products of some lines, which stay in the first-level cache until they are folded.</summary>
    private const int BandBytes = 16 * 1024;

    /// <summary>With fewer taps there is little to share; more products than this are wider than what a dense kernel does.</summary>
    private const int LeastTaps = 4, MostProducts = 128;

    private readonly Conv2DGeometry _g;
    private readonly ConvolutionPass _products;
    private readonly int _inputChannels, _outputChannels, _lines;

    /// <summary>For each column of taps the outputs whose tap lies inside the image, and the first one's column there.</summary>
    private readonly (int First, int End, int Column)[] _columns;

    public FoldedInputGradient(in Conv2DGeometry geometry, int inputChannels, int outputChannels)
    {
        _g = geometry;
        (_inputChannels, _outputChannels) = (inputChannels, outputChannels);
        _lines = Math.Clamp(BandBytes / (sizeof(float) * geometry.OutputWidth * Products), 1, geometry.OutputHeight);
        _columns = [.. Enumerable.Range(0, _g.KernelWidth).Select(Column)];
        _products = ConvolutionPass.BackwardInput(new(_lines, geometry.OutputWidth, 1, 1, 1, Padding.Valid), Products, outputChannels, groups: 1);
    }

    /// <summary>Whether the channels are few enough, and the outputs enough for whole vectors.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
    {
        int taps = geometry.KernelHeight * geometry.KernelWidth;
        return groups == 1 && inputChannels <= DotKernel.MostOutputs && outputChannels >= DotKernel.VirtualLanes
            && taps >= LeastTaps && taps * inputChannels is > DotKernel.MostOutputs and <= MostProducts;
    }

    public int ScratchLength => (IsTurned ? 2 : 1) * _lines * _g.OutputWidth * Products;

    private int Products => _g.KernelHeight * _g.KernelWidth * _inputChannels;

    /// <summary>Whether a tap's products along a line are added to cells that follow each other, so that they are worth bringing together.</summary>
    private bool IsTurned => _inputChannels == 1 && _g.StrideWidth == 1;

    public int PackedLength<TVector>()
        where TVector : struct, IVector<TVector> => _products.PackedLength<TVector>();

    /// <summary>Packs weights [kh, kw, cin, cout], which are those of the pointwise convolution as they are.</summary>
    public void Pack<TVector>(float* weights, float* packed, Share share)
        where TVector : struct, IVector<TVector> => _products.Pack<TVector>(weights, null, packed, share);

    public void Run<TVector>(float* dy, float* packed, float* dx, float* scratch, int images)
        where TVector : struct, IVector<TVector>
    {
        nint line = (nint)_g.OutputWidth * _outputChannels;
        for (int image = 0; image < images; image++)
        {
            new Span<float>(dx, _g.InputPixels * _inputChannels).Clear();
            for (int first = 0; first < _g.OutputHeight; first += _lines)
            {
                int lines = Math.Min(_lines, _g.OutputHeight - first);
                _products.RunRows<TVector>(dy + (first * line), packed, scratch, 0, lines);
                Fold<TVector>(scratch, dx, first, lines);
            }

            dy += _g.OutputHeight * line;
            dx += _g.InputPixels * _inputChannels;
        }
    }

    /// <summary>Adds the products of some lines, [lines, output width, kh, kw, cin].</summary>
    private void Fold<TVector>(float* products, float* dx, int firstLine, int lines)
        where TVector : struct, IVector<TVector>
    {
        int width = _g.OutputWidth, all = lines * width;
        float* turned = products + ((nint)_lines * width * Products);
        if (IsTurned)
            Transposition.Run(products, Products, turned, all, all, Products);

        for (int line = 0; line < lines; line++)
        {
            (int firstTap, int endTap) = _g.ValidRowTaps(firstLine + line);
            for (int tapRow = firstTap; tapRow < endTap; tapRow++)
            {
                int row = ((firstLine + line) * _g.StrideHeight) + (tapRow * _g.DilationHeight) - _g.PadTop;
                for (int tapColumn = 0; tapColumn < _columns.Length; tapColumn++)
                {
                    (int first, int end, int column) = _columns[tapColumn];
                    if (first == end)
                        continue;

                    nint pixel = ((nint)line * width) + first, tap = ((nint)tapRow * _g.KernelWidth) + tapColumn;
                    float* to = dx + ((((nint)row * _g.InputWidth) + column) * _inputChannels);
                    if (IsTurned)
                        ElementwiseKernel.AddTo<TVector>(turned + (tap * all) + pixel, to, end - first);
                    else
                        Add(products + (pixel * Products) + (tap * _inputChannels), to, end - first);
                }
            }
        }
    }

    /// <summary>Adds the products of one tap along a line.</summary>
    private void Add(float* from, float* to, int pixels)
    {
        for (; pixels > 0; pixels--)
        {
            for (int channel = 0; channel < _inputChannels; channel++)
                to[channel] += from[channel];

            from += Products;
            to += (nint)_g.StrideWidth * _inputChannels;
        }
    }

    private (int First, int End, int Column) Column(int tap)
    {
        (int first, int end) = _g.ValidOutputColumns(tap);
        return (first, end, (first * _g.StrideWidth) + (tap * _g.DilationWidth) - _g.PadLeft);
    }
}
