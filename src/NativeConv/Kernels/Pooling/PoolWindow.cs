namespace NativeConv.Kernels;

/// <summary>The cells of one output's window that lie inside the image.</summary>
internal readonly struct PoolWindow
{
    private const int MostCells = 256;

    private PoolWindow(in Conv2DGeometry geometry, int row, (int First, int End) rows, int column)
    {
        (FirstRow, EndRow) = rows;
        (FirstColumn, EndColumn) = geometry.ValidColumnTaps(column);
        int top = (row * geometry.StrideHeight) - geometry.PadTop, left = (column * geometry.StrideWidth) - geometry.PadLeft;
        Origin = ((nint)top * geometry.InputWidth) + left;
    }

    public int FirstRow { get; }

    public int EndRow { get; }

    public int FirstColumn { get; }

    public int EndColumn { get; }

    /// <summary>The pixel of the window's first cell, which may lie in the padding.</summary>
    public nint Origin { get; }

    public int Cells => (EndRow - FirstRow) * (EndColumn - FirstColumn);

    /// <summary>What is done with each window, in row order of the outputs.</summary>
    public interface IVisitor
    {
        void Visit(in PoolWindow window, nint outputPixel);
    }

    public static void ForEach<TVisitor>(in Conv2DGeometry geometry, ref TVisitor visitor)
        where TVisitor : struct, IVisitor, allows ref struct
    {
        nint pixel = 0;
        for (int row = 0; row < geometry.OutputHeight; row++)
        {
            (int First, int End) rows = geometry.ValidRowTaps(row);
            for (int column = 0; column < geometry.OutputWidth; column++)
                visitor.Visit(new(geometry, row, rows, column), pixel++);
        }
    }

    /// <summary>Refuses windows that are dilated, too large to number their cells by a byte, or that see padding alone.</summary>
    /// <exception cref="ArgumentException">The geometry has such windows.</exception>
    public static void Validate(in Conv2DGeometry geometry)
    {
        if (geometry.DilationHeight != 1 || geometry.DilationWidth != 1)
            throw new ArgumentException($"A pooling window has no dilation, but it is {geometry.DilationHeight}x{geometry.DilationWidth}.", nameof(geometry));

        if ((long)geometry.KernelHeight * geometry.KernelWidth > MostCells)
            throw new ArgumentException($"A window has at most {MostCells} cells, but {geometry.KernelHeight}x{geometry.KernelWidth} has more.", nameof(geometry));

        bool rowsSee = geometry.ValidRowTaps(0) != (0, 0) && geometry.ValidRowTaps(geometry.OutputHeight - 1) != (0, 0);
        bool columnsSee = geometry.ValidColumnTaps(0) != (0, 0) && geometry.ValidColumnTaps(geometry.OutputWidth - 1) != (0, 0);
        if (!rowsSee || !columnsSee)
        {
            throw new ArgumentException(
                $"A {geometry.KernelHeight}x{geometry.KernelWidth} window would see nothing of an input of {geometry.InputHeight}x{geometry.InputWidth} at its edge.",
                nameof(geometry));
        }
    }

    /// <summary>Whether the windows cover every input cell exactly once, so that gradients are stored and not added.</summary>
    public static bool Tile(in Conv2DGeometry geometry) =>
        geometry.StrideHeight == geometry.KernelHeight && geometry.StrideWidth == geometry.KernelWidth
        && geometry.PadTop == 0 && geometry.PadLeft == 0
        && geometry.OutputHeight * geometry.StrideHeight >= geometry.InputHeight && geometry.OutputWidth * geometry.StrideWidth >= geometry.InputWidth;
}
