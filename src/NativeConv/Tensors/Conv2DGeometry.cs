namespace NativeConv;

/// <summary>
/// The sizes of a 2-D window that slides over an image: of a convolution, a depthwise convolution or a pooling.
/// Output (oh, ow) reads input row oh*StrideHeight + kh*DilationHeight - PadTop and the column likewise.
/// </summary>
public readonly record struct Conv2DGeometry
{
    /// <summary>Derives the output's sizes.</summary>
    /// <exception cref="ArgumentException">A size is not positive, a pad negative, or the output would be empty; the message names the sizes.</exception>
    public Conv2DGeometry(int inputHeight, int inputWidth, Size2D kernel, Size2D stride, Size2D dilation, Padding padding)
    {
        RequirePositive(inputHeight, inputWidth, "input");
        RequirePositive(kernel.Height, kernel.Width, "kernel");
        RequirePositive(stride.Height, stride.Width, "stride");
        RequirePositive(dilation.Height, dilation.Width, "dilation");
        InputHeight = inputHeight;
        InputWidth = inputWidth;
        KernelHeight = kernel.Height;
        KernelWidth = kernel.Width;
        StrideHeight = stride.Height;
        StrideWidth = stride.Width;
        DilationHeight = dilation.Height;
        DilationWidth = dilation.Width;
        (OutputHeight, PadTop, PadBottom) = Axis(inputHeight, kernel.Height, stride.Height, dilation.Height, padding, padding.Top, padding.Bottom);
        (OutputWidth, PadLeft, PadRight) = Axis(inputWidth, kernel.Width, stride.Width, dilation.Width, padding, padding.Left, padding.Right);
        if (OutputHeight < 1 || OutputWidth < 1)
        {
            throw new ArgumentException(
                $"A {kernel} kernel with dilation {dilation}, stride {stride} and padding {padding} has no place in an input of {inputHeight}x{inputWidth}: " +
                "the output would be empty.",
                nameof(kernel));
        }
    }

    /// <summary>Rows of the input.</summary>
    public int InputHeight { get; }

    /// <summary>Columns of the input.</summary>
    public int InputWidth { get; }

    /// <summary>Rows of the output.</summary>
    public int OutputHeight { get; }

    /// <summary>Columns of the output.</summary>
    public int OutputWidth { get; }

    /// <summary>Rows of taps.</summary>
    public int KernelHeight { get; }

    /// <summary>Columns of taps.</summary>
    public int KernelWidth { get; }

    /// <summary>Input rows between two outputs.</summary>
    public int StrideHeight { get; }

    /// <summary>Input columns between two outputs.</summary>
    public int StrideWidth { get; }

    /// <summary>Input rows between two taps.</summary>
    public int DilationHeight { get; }

    /// <summary>Input columns between two taps.</summary>
    public int DilationWidth { get; }

    /// <summary>Padded rows above.</summary>
    public int PadTop { get; }

    /// <summary>Padded rows below.</summary>
    public int PadBottom { get; }

    /// <summary>Padded columns to the left.</summary>
    public int PadLeft { get; }

    /// <summary>Padded columns to the right.</summary>
    public int PadRight { get; }

    internal int InputPixels => InputHeight * InputWidth;

    internal int OutputPixels => OutputHeight * OutputWidth;

    /// <summary>Input rows from the first that so many consecutive output rows see to the last, padding included.</summary>
    internal long RowsSeen(long outputRows) => ((outputRows - 1) * StrideHeight) + ((KernelHeight - 1L) * DilationHeight) + 1;

    /// <inheritdoc cref="RowsSeen"/>
    internal long ColumnsSeen(long outputColumns) => ((outputColumns - 1) * StrideWidth) + ((KernelWidth - 1L) * DilationWidth) + 1;

    /// <summary>Whether the window is one cell that visits every input pixel once: a pointwise convolution.</summary>
    internal bool IsPointwise => KernelHeight == 1 && KernelWidth == 1 && StrideHeight == 1 && StrideWidth == 1
        && PadTop == 0 && PadBottom == 0 && PadLeft == 0 && PadRight == 0;

    /// <summary>The taps of an axis, first inclusive and last exclusive, that fall inside the input at one output position.</summary>
    internal static (int First, int End) ValidTaps(int output, int stride, int dilation, int pad, int taps, int input)
    {
        long origin = ((long)output * stride) - pad;
        long first = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
        long end = origin >= input ? 0 : Math.Min(taps, (input - origin + dilation - 1) / dilation);
        return first >= end ? (0, 0) : ((int)first, (int)end);
    }

    internal (int First, int End) ValidRowTaps(int outputRow) =>
        ValidTaps(outputRow, StrideHeight, DilationHeight, PadTop, KernelHeight, InputHeight);

    internal (int First, int End) ValidColumnTaps(int outputColumn) =>
        ValidTaps(outputColumn, StrideWidth, DilationWidth, PadLeft, KernelWidth, InputWidth);

    /// <summary>The outputs of an axis, first inclusive and last exclusive, for which a tap lies inside the input.</summary>
    internal static (int First, int End) ValidOutputs(int tap, int stride, int dilation, int pad, int inputs, int outputs)
    {
        long shift = ((long)tap * dilation) - pad;
        long first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
        long end = shift >= inputs ? 0 : Math.Min(outputs, ((inputs - 1 - shift) / stride) + 1);
        return first >= end ? (0, 0) : ((int)first, (int)end);
    }

    internal (int First, int End) ValidOutputRows(int tapRow) => ValidOutputs(tapRow, StrideHeight, DilationHeight, PadTop, InputHeight, OutputHeight);

    internal (int First, int End) ValidOutputColumns(int tapColumn) => ValidOutputs(tapColumn, StrideWidth, DilationWidth, PadLeft, InputWidth, OutputWidth);

    private static (int Output, int Before, int After) Axis(int input, int taps, int stride, int dilation, Padding padding, int before, int after)
    {
        long extent = ((long)(taps - 1) * dilation) + 1;
        if (padding.IsSame)
        {
            int output = (int)(((long)input + stride - 1) / stride);
            long pad = Math.Max(0, ((long)(output - 1) * stride) + extent - input);
            return pad > int.MaxValue
                ? throw new ArgumentException($"A kernel that reaches {extent} cells is too large.", nameof(taps))
                : (output, (int)(pad / 2), (int)(pad - (pad / 2)));
        }

        long room = (long)input + before + after - extent;
        return (room < 0 ? 0 : (int)Math.Min(int.MaxValue, (room / stride) + 1), before, after);
    }

    private static void RequirePositive(int height, int width, string what)
    {
        if (height < 1 || width < 1)
            throw new ArgumentException($"The {what} must be at least 1x1, but is {height}x{width}.", what);
    }
}
