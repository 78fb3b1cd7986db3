using System.Runtime.CompilerServices;
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

    /// <summary>Whether dy is the gradient of a 2x2 max-pooling, and what multiplies it where products are turned; elsewhere it is spread over two lines at a time first.</summary>
    private readonly bool _isPooled;
    private readonly PooledProducts _windows;
    private readonly int _inputChannels, _outputChannels, _lines;

    /// <summary>Where products are turned: zeros left of a line, floats from a line to the next, and from a tap to the next.</summary>
    private readonly int _margin, _pitch, _plane;

    /// <summary>For each column of taps the outputs whose tap lies inside the image, and the first one's column there.</summary>
    private readonly (int First, int End, int Column)[] _columns;

    public FoldedInputGradient(in Conv2DGeometry geometry, int inputChannels, int outputChannels, bool isPooled = false)
    {
        _g = geometry;
        (_inputChannels, _outputChannels) = (inputChannels, outputChannels);
        _lines = Math.Clamp(BandBytes / (sizeof(float) * geometry.OutputWidth * Products), 1, geometry.OutputHeight);
        _isPooled = isPooled;
        if (isPooled)
            _lines += _lines & 1;

        _columns = [.. Enumerable.Range(0, _g.KernelWidth).Select(Column)];
        _margin = Math.Max(0, ((_g.KernelWidth - 1) * _g.DilationWidth) - _g.PadLeft);
        _pitch = _margin + _g.OutputWidth + Math.Max(0, _g.InputWidth + _g.PadLeft - _g.OutputWidth);
        _plane = _lines * _pitch;
        _products = ConvolutionPass.BackwardInput(new(_lines, geometry.OutputWidth, 1, 1, 1, Padding.Valid), Products, outputChannels, groups: 1);
        _windows = new(Products, outputChannels);
    }

    /// <summary>Whether the channels are few enough, and the outputs enough for whole vectors.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
    {
        int taps = geometry.KernelHeight * geometry.KernelWidth;
        return groups == 1 && inputChannels <= DotKernel.MostOutputs && outputChannels >= DotKernel.VirtualLanes
            && taps >= LeastTaps && taps * inputChannels is > DotKernel.MostOutputs and <= MostProducts;
    }

    public int ScratchLength => ProductsLength + (IsTurned ? Products * _plane : 0) + (_isPooled && !IsFromWindows ? 2 * _g.OutputWidth * _outputChannels : 0);

    private int ProductsLength => IsFromWindows ? _windows.ScratchLength(_lines * _g.OutputWidth / 4) : _lines * _g.OutputWidth * Products;

    private bool IsFromWindows => _isPooled && IsTurned;

    private int Products => _g.KernelHeight * _g.KernelWidth * _inputChannels;

    /// <summary>Whether a tap's products along a line are added to cells that follow each other, so that they are worth bringing together.</summary>
    private bool IsTurned => _inputChannels == 1 && _g.StrideWidth == 1;

    public int PackedLength<TVector>()
        where TVector : struct, IVector<TVector> => IsFromWindows ? _windows.PackedLength : _products.PackedLength<TVector>();

    /// <summary>Packs weights [kh, kw, cin, cout], which are those of the pointwise convolution as they are.</summary>
    public void Pack<TVector>(float* weights, float* packed, Share share)
        where TVector : struct, IVector<TVector>
    {
        if (!IsFromWindows)
            _products.Pack<TVector>(weights, null, packed, share);
        else if (share.Index == 0)
            _windows.Pack(weights, packed);
    }

    public void Run<TVector>(float* dy, float* packed, float* dx, float* scratch, int images)
        where TVector : struct, IVector<TVector> => Run<TVector>(dy, null, packed, dx, scratch, images);

    /// <summary>The same where dy is the gradient of the pooling behind, and its winners are given.</summary>
    public void Run<TVector>(float* dy, byte* winners, float* packed, float* dx, float* scratch, int images)
        where TVector : struct, IVector<TVector>
    {
        int perLine = _isPooled ? 2 : 1;
        nint line = (nint)_g.OutputWidth / perLine * _outputChannels, image = _g.OutputHeight / perLine * line;
        float* turned = scratch + ProductsLength;
        if (IsTurned)
            new Span<float>(turned, Products * _plane).Clear();

        for (; images > 0; images--)
        {
            new Span<float>(dx, _g.InputPixels * _inputChannels).Clear();
            for (int first = 0; first < _g.OutputHeight; first += _lines)
            {
                int lines = Math.Min(_lines, _g.OutputHeight - first);
                nint start = first / perLine * line;
                if (IsFromWindows)
                    _windows.Run<TVector>(dy + start, winners + start, lines / 2, _g.OutputWidth / 2, packed, turned + _margin, _pitch, _plane, scratch);
                else if (_isPooled)
                    MultiplySpread<TVector>(dy + start, winners + start, packed, scratch, lines);
                else
                    Multiply<TVector>(dy + start, packed, scratch, turned, lines);

                if (IsTurned)
                    FoldTurned<TVector>(turned, dx, first, lines);
                else
                    Fold(scratch, dx, first, lines);
            }

            dy += image;
            winners += winners == null ? 0 : image;
            dx += _g.InputPixels * _inputChannels;
        }
    }

    private void Multiply<TVector>(float* dy, float* packed, float* products, float* turned, int lines)
        where TVector : struct, IVector<TVector>
    {
        _products.RunRows<TVector>(dy, packed, products, 0, lines);
        for (int line = 0; IsTurned && line < lines; line++)
            Transposition.Run(products + ((nint)line * _g.OutputWidth * Products), Products, turned + ((nint)line * _pitch) + _margin, _plane, _g.OutputWidth, Products);
    }

    /// <summary>The products of some lines, each two of which a row of windows has its gradients spread over, in a cache.</summary>
    private void MultiplySpread<TVector>(float* pooled, byte* winners, float* packed, float* products, int lines)
        where TVector : struct, IVector<TVector>
    {
        var windows = new Conv2DGeometry(2, _g.OutputWidth, 2, 2, 1, Padding.Valid);
        float* spread = products + ProductsLength;
        nint row = (nint)windows.OutputWidth * _outputChannels;
        for (int line = 0; line < lines; line += 2, pooled += row, winners += row)
        {
            MaxPool2x2.Backward<TVector>(windows, _outputChannels, pooled, winners, spread);
            _products.RunRows<TVector>(spread, packed, products + ((nint)line * _g.OutputWidth * Products), 0, 2);
        }
    }

    /// <summary>
    /// Adds the products of some lines, [kh, kw, lines, pitch], where an output's tap lies beside its neighbour's: a plane a tap, with zeros where no output is, so that all that a vector of dx gets is summed in
    /// a register; a sum that begins at +0 is the same with zeros added.
    /// </summary>
    private void FoldTurned<TVector>(float* turned, float* dx, int firstLine, int lines)
        where TVector : struct, IVector<TVector>
    {
        float** sources = stackalloc float*[_g.KernelHeight];
        int endRow = Math.Min(_g.InputHeight, ((firstLine + lines - 1) * _g.StrideHeight) + ((_g.KernelHeight - 1) * _g.DilationHeight) - _g.PadTop + 1);
        for (int row = Math.Max(0, (firstLine * _g.StrideHeight) - _g.PadTop); row < endRow; row++)
        {
            int count = 0;
            for (int tapRow = _g.KernelHeight - 1; tapRow >= 0; tapRow--)
            {
                (int line, int between) = Math.DivRem(row + _g.PadTop - (tapRow * _g.DilationHeight), _g.StrideHeight);
                if (between == 0 && line >= firstLine && line < firstLine + lines)
                    sources[count++] = turned + ((nint)tapRow * _g.KernelWidth * _plane) + ((nint)(line - firstLine) * _pitch) + _margin + _g.PadLeft;
            }

            float* to = dx + ((nint)row * _g.InputWidth);
            int column = 0;
            for (; column + TVector.Lanes <= _g.InputWidth; column += TVector.Lanes)
                TVector.Store(to + column, Sum<TVector, Whole>(sources, count, column, TVector.Load(to + column), 0));

            int rest = _g.InputWidth - column;
            if (rest > 0)
                TVector.StorePartial(to + column, Sum<TVector, Partial>(sources, count, column, TVector.LoadPartial(to + column, rest), rest), rest);
        }
    }

    /// <summary>Adds to a vector of dx what each line gives it by its taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Sum<TVector, TEdge>(float** sources, int count, int column, TVector sum, int lanes)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        int taps = _g.KernelWidth;
        nint next = _plane - _g.DilationWidth;
        for (int i = 0; i < count; i++)
        {
            float* from = sources[i] + column;
            for (int tap = 0; tap < taps; tap++, from += next)
                sum += TEdge.Load<TVector>(from, lanes);
        }

        return sum;
    }

    /// <summary>Adds the products of some lines, [lines, output width, kh, kw, cin].</summary>
    private void Fold(float* products, float* dx, int firstLine, int lines)
    {
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

                    nint pixel = ((nint)line * _g.OutputWidth) + first, tap = ((nint)tapRow * _g.KernelWidth) + tapColumn;
                    Add(products + (pixel * Products) + (tap * _inputChannels), dx + ((((nint)row * _g.InputWidth) + column) * _inputChannels), end - first);
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
