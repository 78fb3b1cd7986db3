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

    /// <summary>Products that come at the price of one.</summary>
    private const int Unit = 8;

    private readonly Conv2DGeometry _g;
    private readonly ConvolutionPass _products;

    /// <summary>Behind a 2x2 max-pooling, two lines of dy: where a row of windows spreads its gradient.</summary>
    private readonly Conv2DGeometry? _windows;

    /// <summary>
    /// Products that the pointwise convolution gives: all, or but the last where gradients are spread and that one would need a vector of its own; it is then a dot product made as they are spread.
    /// </summary>
    private readonly int _whole;
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
        if (isPooled)
        {
            _lines += _lines & 1;
            _windows = new(2, geometry.OutputWidth, 2, 2, 1, Padding.Valid);
        }

        _columns = [.. Enumerable.Range(0, _g.KernelWidth).Select(Column)];
        _margin = Math.Max(0, ((_g.KernelWidth - 1) * _g.DilationWidth) - _g.PadLeft);
        _pitch = _margin + _g.OutputWidth + Math.Max(0, _g.InputWidth + _g.PadLeft - _g.OutputWidth);
        _plane = _lines * _pitch;
        _whole = isPooled && IsTurned && Products % Unit == 1 ? Products - 1 : Products;
        _products = ConvolutionPass.BackwardInput(new(_lines, geometry.OutputWidth, 1, 1, 1, Padding.Valid), _whole, outputChannels, groups: 1);
    }

    /// <summary>Whether the channels are few enough, and the outputs enough for whole vectors.</summary>
    public static bool Fits(in Conv2DGeometry geometry, int inputChannels, int outputChannels, int groups)
    {
        int taps = geometry.KernelHeight * geometry.KernelWidth;
        return groups == 1 && inputChannels <= DotKernel.MostOutputs && outputChannels >= DotKernel.VirtualLanes
            && taps >= LeastTaps && taps * inputChannels is > DotKernel.MostOutputs and <= MostProducts;
    }

    public int ScratchLength => ProductsLength + TurnedLength + (_windows == null ? 0 : 2 * _g.OutputWidth * _outputChannels);

    private int TurnedLength => IsTurned ? Products * _plane : 0;

    private int ProductsLength => _lines * _g.OutputWidth * _whole;

    private int Products => _g.KernelHeight * _g.KernelWidth * _inputChannels;

    /// <summary>Whether a tap's products along a line are added to cells that follow each other, so that they are worth bringing together.</summary>
    private bool IsTurned => _inputChannels == 1 && _g.StrideWidth == 1;

    public int PackedLength<TVector>()
        where TVector : struct, IVector<TVector> => _products.PackedLength<TVector>() + ((Products - _whole) * _outputChannels);

    /// <summary>Packs weights [kh, kw, cin, cout], which are those of the pointwise convolution as they are, and behind it those of the product that it does not give.</summary>
    public void Pack<TVector>(float* weights, float* packed, Share share)
        where TVector : struct, IVector<TVector>
    {
        _products.Pack<TVector>(weights, null, packed, share);
        int rest = (Products - _whole) * _outputChannels;
        if (share.Index == 0)
            new ReadOnlySpan<float>(weights + ((nint)_whole * _outputChannels), rest).CopyTo(new(packed + _products.PackedLength<TVector>(), rest));
    }

    public void Run<TVector>(float* dy, float* packed, float* dx, float* scratch, int images)
        where TVector : struct, IVector<TVector> => Run<TVector>(dy, null, packed, dx, scratch, images);

    /// <summary>The same where dy is the gradient of the pooling behind, and its winners are given.</summary>
    public void Run<TVector>(float* dy, byte* winners, float* packed, float* dx, float* scratch, int images)
        where TVector : struct, IVector<TVector>
    {
        int perLine = _windows == null ? 1 : 2;
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
                if (_windows is { } windows)
                    MultiplyPooled<TVector>(windows, dy + start, winners + start, packed, scratch, turned, lines);
                else
                    _products.RunRows<TVector>(dy + start, packed, scratch, 0, lines);

                if (IsTurned)
                    FoldTurned<TVector>(scratch, turned, dx, first, lines);
                else
                    Fold(scratch, dx, first, lines);
            }

            dy += image;
            winners += winners == null ? 0 : image;
            dx += _g.InputPixels * _inputChannels;
        }
    }

    /// <summary>The products of some lines, each two of which a row of windows has its gradients spread over, in a cache. The product apart goes where it is to be folded.</summary>
    private void MultiplyPooled<TVector>(in Conv2DGeometry windows, float* pooled, byte* winners, float* packed, float* scratch, float* turned, int lines)
        where TVector : struct, IVector<TVector>
    {
        float* spread = scratch + ProductsLength + TurnedLength;
        nint row = (nint)windows.OutputWidth * _outputChannels;
        for (int line = 0; line < lines; line += 2, pooled += row, winners += row)
        {
            if (_whole == Products)
            {
                MaxPool2x2.Backward<TVector>(windows, _outputChannels, pooled, winners, spread);
            }
            else
            {
                float* dots = turned + ((nint)_whole * _plane) + ((nint)line * _pitch) + _margin;
                PooledSpread.Run<TVector>(pooled, winners, windows.OutputWidth, _outputChannels, spread, packed + _products.PackedLength<TVector>(), dots, _pitch);
            }

            _products.RunRows<TVector>(spread, packed, scratch + ((nint)line * _g.OutputWidth * _whole), 0, 2);
        }
    }

    /// <summary>
    /// Adds the products of some lines, [lines, output width, kh, kw], where an output's tap lies beside its neighbour's. Turned to a plane a tap, with zeros where no output
    /// is, all that a vector of dx gets is summed in a register; a sum that begins at +0 is the same with zeros added.
    /// </summary>
    private void FoldTurned<TVector>(float* products, float* turned, float* dx, int firstLine, int lines)
        where TVector : struct, IVector<TVector>
    {
        int width = _g.OutputWidth;
        for (int line = 0; line < lines; line++)
            Transposition.Run(products + ((nint)line * width * _whole), _whole, turned + ((nint)line * _pitch) + _margin, _plane, width, _whole);

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
