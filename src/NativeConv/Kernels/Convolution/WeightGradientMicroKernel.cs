using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>What one call of the weight-gradient micro-kernel computes: one tile of a tap's gradient, over a rectangle of output pixels.</summary>
internal unsafe struct WeightGradientTile
{
    /// <summary>The left factor at the first pixel's first row; and floats to the next row, pixel and line of pixels.</summary>
    public float* Left;
    public nint LeftRow, LeftPixel, LeftLine;

    /// <summary>Floats from a panel of packed rows to the next, and the most rows of one; 0 where rows follow each other.</summary>
    public nint LeftPanel;
    public int PanelRows;

    /// <summary>The right factor's first channel at the first pixel; and floats to the next pixel and line of pixels.</summary>
    public float* Right;
    public nint RightPixel, RightLine;

    /// <summary>Pixels in a line, and lines.</summary>
    public int Pixels, Lines;

    /// <summary>The gradient's tile, added to; and floats from one of its rows to the next.</summary>
    public float* Gradient;
    public nint GradientRow;

    /// <summary>Channels of the tile that exist: at most its vectors times the lanes.</summary>
    public int Channels;

    /// <summary>As many zeros as a tile has channels where the gradient begins here, whatever its memory holds; else null.</summary>
    public float* Zeros;

    /// <summary>How many tiles follow each other down the gradient's rows, and floats from one to the next on both sides.</summary>
    public int Tiles;
    public nint LeftTile, GradientTile;

    /// <summary>What tiles ask for while they are computed; null for nothing.</summary>
    public FetchQueue* Ahead;
}

/// <summary>
/// The micro-kernel of weight gradients: gradient [rows, channels] += sum over pixels of left [pixel, row] * right [pixel, channel]. A lane is a
/// channel of the right factor; pixels are added in order, in one fused chain that continues what the gradient holds, so that it does not matter how
/// images and rectangles are grouped into calls. Registers as in <see cref="ConvolutionMicroKernel"/>. Where the channels end
/// inside a vector, loads and stores are masked and touch nothing beyond.
/// </summary>
internal static unsafe class WeightGradientMicroKernel
{
    /// <summary>The most rows that a packed panel holds where tiles have up to so many columns: those of one tile, or of two wide ones, which it takes no longer to pack.</summary>
    public static int PanelRows<TVector>(int columns)
        where TVector : struct, IVector<TVector> => columns > 2 ? 2 * WideWeightGradientMicroKernel.MaximumRows : ConvolutionMicroKernel.MaximumRows<TVector>();

    /// <summary>Some rows of the gradient, tile by tile.</summary>
    public static void Run<TVector>(int rows, WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        int columns = (tile.Channels + TVector.Lanes - 1) / TVector.Lanes;
        if (tile.LeftPanel == 0)
        {
            RunRows<TVector>(new(rows, MaximumRows<TVector>(columns)), columns, ref tile);
            return;
        }

        var panels = new TileRows(rows, tile.PanelRows);
        if (columns <= 2)
        {
            RunRows<TVector>(panels, columns, ref tile);
            return;
        }

        RunHalves<TVector>(panels.Short + 1, panels.Long, columns, ref tile);
        RunHalves<TVector>(panels.Short, panels.Tiles - panels.Long, columns, ref tile);
    }

    /// <summary>The most rows of a tile of so many vectors.</summary>
    public static int MaximumRows<TVector>(int columns)
        where TVector : struct, IVector<TVector> => columns switch { 1 => RowsOfOne<TVector>(), 2 => ConvolutionMicroKernel.MaximumRows<TVector>(), _ => WideWeightGradientMicroKernel.MaximumRows };

    /// <summary>The most rows of a tile of one vector.</summary>
    private static int RowsOfOne<TVector>()
        where TVector : struct, IVector<TVector> => TVector.Registers >= 32 ? 14 : 12;

    private static void RunRows<TVector>(TileRows split, int columns, ref WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        RunTiles<TVector>(split.Short + 1, split.Short + 1, split.Long, columns, ref tile);
        RunTiles<TVector>(split.Short, split.Short, split.Tiles - split.Long, columns, ref tile);
    }

    /// <summary>Panels of as many rows each, which are two tiles each, and on to the panels after them.</summary>
    private static void RunHalves<TVector>(int rows, int panels, int columns, ref WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        int upper = (rows + 1) / 2, lower = rows - upper;
        WeightGradientTile second = tile;
        second.Left += upper * tile.LeftRow;
        second.Gradient += upper * tile.GradientRow;
        RunTiles<TVector>(upper, rows, panels, columns, ref tile);
        RunTiles<TVector>(lower, rows, panels, columns, ref second);
    }

    /// <summary>Tiles of as many rows each, so many rows apart, and on to the rows after them.</summary>
    private static void RunTiles<TVector>(int rows, int rowsApart, int tiles, int columns, ref WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (tiles == 0)
            return;

        tile.Tiles = tiles;
        tile.LeftTile = tile.LeftPanel != 0 ? tile.LeftPanel : rowsApart * tile.LeftRow;
        tile.GradientTile = rowsApart * tile.GradientRow;
        Run<TVector>(rows, columns, in tile);
        tile.Left += tiles * tile.LeftTile;
        tile.Gradient += tiles * tile.GradientTile;
    }

    private static void Run<TVector>(int rows, int columns, in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
    {
        if (ConvolutionMicroKernel.MaximumColumns<TVector>() > 2)
        {
            if (columns > 2)
            {
                WideWeightGradientMicroKernel.Run<TVector>(rows, columns, in tile);
                return;
            }
        }

        if (columns == 2)
            Run<TVector, N2>(rows, in tile);
        else
            Run<TVector, N1>(rows, in tile);
    }

    private static void Run<TVector, TColumns>(int rows, in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        switch (rows)
        {
            case 1:
                Run<TVector, N1, TColumns>(in tile);
                break;
            case 2:
                Run<TVector, N2, TColumns>(in tile);
                break;
            case 3:
                Run<TVector, N3, TColumns>(in tile);
                break;
            case 4:
                Run<TVector, N4, TColumns>(in tile);
                break;
            case 5:
                Run<TVector, N5, TColumns>(in tile);
                break;
            case 6:
                Run<TVector, N6, TColumns>(in tile);
                break;
            default:
                RunMore<TVector, TColumns>(rows, in tile);
                break;
        }
    }

    /// <summary>Tiles that only vector types with many registers have, or columns of one vector.</summary>
    private static void RunMore<TVector, TColumns>(int rows, in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
    {
        if (TColumns.Value == 2 && ConvolutionMicroKernel.MaximumRows<TVector>() <= 6)
            throw SizeDispatch.Outside(rows);

        switch (rows)
        {
            case 7:
                Run<TVector, N7, TColumns>(in tile);
                break;
            case 8:
                Run<TVector, N8, TColumns>(in tile);
                break;
            case 9:
                Run<TVector, N9, TColumns>(in tile);
                break;
            case 10:
                Run<TVector, N10, TColumns>(in tile);
                break;
            case 11:
                Run<TVector, N11, TColumns>(in tile);
                break;
            case 12:
                Run<TVector, N12, TColumns>(in tile);
                break;
            case 13:
                Run<TVector, N13, TColumns>(in tile);
                break;
            default:
                Run<TVector, N14, TColumns>(in tile);
                break;
        }
    }

    private static void Run<TVector, TRows, TColumns>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        if (tile.Channels == TColumns.Value * TVector.Lanes)
            Run<TVector, TRows, TColumns, Whole>(in tile);
        else
            Run<TVector, TRows, TColumns, Partial>(in tile);
    }

    private static void Run<TVector, TRows, TColumns, TEdge>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (tile.Ahead == null)
            Run<TVector, TRows, TColumns, TEdge, NotAsking>(in tile);
        else
            Run<TVector, TRows, TColumns, TEdge, Asking>(in tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TVector, TRows, TColumns, TEdge, TAsking>(in WeightGradientTile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
        where TAsking : struct, IAsking
    {
        int lanes = TVector.Lanes;
        int last = tile.Channels - ((TColumns.Value - 1) * lanes);
        nint row = tile.LeftRow, row2 = 2 * row;
        nint leftBytes = tile.LeftPixel * sizeof(float), rightPixel = tile.RightPixel;
        // Zeros are loaded like a gradient: a branch here would keep the compiler from taking masks out of the loop over pixels.
        bool begins = tile.Zeros != null;
        nint startRow = begins ? 0 : tile.GradientRow;
        float* left = tile.Left;
        float* tileGradient = tile.Gradient;
        for (int remaining = tile.Tiles; remaining > 0; remaining--)
        {
            byte* next = (byte*)tile.Right;
            nint nextStep = 0;
            if (TAsking.IsOn)
                nextStep = tile.Ahead->Take(ref next);

            TVector zero = TVector.Zero;
            TVector c0x = zero, c1x = zero, c2x = zero, c3x = zero, c4x = zero, c5x = zero, c6x = zero;
            TVector c7x = zero, c8x = zero, c9x = zero, c10x = zero, c11x = zero, c12x = zero, c13x = zero;
            TVector c0y = zero, c1y = zero, c2y = zero, c3y = zero, c4y = zero, c5y = zero, c6y = zero;
            TVector c7y = zero, c8y = zero, c9y = zero, c10y = zero, c11y = zero, c12y = zero, c13y = zero;
            float* start = begins ? tile.Zeros : tileGradient;
            (c0x, c0y) = Load<TVector, TColumns, TEdge>(start, last);
            start += startRow;

            if (TRows.Value > 1)
            {
                (c1x, c1y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 2)
            {
                (c2x, c2y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 3)
            {
                (c3x, c3y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 4)
            {
                (c4x, c4y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 5)
            {
                (c5x, c5y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 6)
            {
                (c6x, c6y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 7)
            {
                (c7x, c7y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 8)
            {
                (c8x, c8y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 9)
            {
                (c9x, c9y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 10)
            {
                (c10x, c10y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 11)
            {
                (c11x, c11y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 12)
            {
                (c12x, c12y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (TRows.Value > 13)
            {
                (c13x, c13y) = Load<TVector, TColumns, TEdge>(start, last);
                start += startRow;
            }

            if (begins)
            {
                // A large gradient is in no cache yet, and the next tile's rows lie far apart, where no hardware looks for them.
                float* ahead = tileGradient + tile.GradientTile;
                for (int i = 0; i < TRows.Value; i++)
                {
                    Prefetch.Line(ahead);
                    ahead += tile.GradientRow;
                }
            }

            float* leftLine = left;
            float* rightLine = tile.Right;
            for (int line = tile.Lines; line > 0; line--)
            {
                float* a0 = leftLine;
                float* a3 = a0 + row2 + row;
                float* a6 = a3 + row2 + row;
                float* a9 = a6 + row2 + row;
                float* a12 = a9 + row2 + row;
                float* right = rightLine;
                nint pixel = tile.Pixels;
                do
                {
                    (TVector w0, TVector w1) = Load<TVector, TColumns, TEdge>(right, last);
                    right += rightPixel;
                    TVector a = TVector.Broadcast(a0[0]);
                    TVector.Accumulate(ref c0x, a, w0);
                    if (TColumns.Value == 2)
                        TVector.Accumulate(ref c0y, a, w1);

                    if (TRows.Value > 1)
                    {
                        a = TVector.Broadcast(a0[row]);
                        TVector.Accumulate(ref c1x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c1y, a, w1);
                    }

                    if (TRows.Value > 2)
                    {
                        a = TVector.Broadcast(a0[row2]);
                        TVector.Accumulate(ref c2x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c2y, a, w1);
                    }

                    if (TRows.Value > 3)
                    {
                        a = TVector.Broadcast(a3[0]);
                        TVector.Accumulate(ref c3x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c3y, a, w1);
                    }

                    if (TRows.Value > 4)
                    {
                        a = TVector.Broadcast(a3[row]);
                        TVector.Accumulate(ref c4x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c4y, a, w1);
                    }

                    if (TRows.Value > 5)
                    {
                        a = TVector.Broadcast(a3[row2]);
                        TVector.Accumulate(ref c5x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c5y, a, w1);
                    }

                    if (TRows.Value > 6)
                    {
                        a = TVector.Broadcast(a6[0]);
                        TVector.Accumulate(ref c6x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c6y, a, w1);
                    }

                    if (TRows.Value > 7)
                    {
                        a = TVector.Broadcast(a6[row]);
                        TVector.Accumulate(ref c7x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c7y, a, w1);
                    }

                    if (TRows.Value > 8)
                    {
                        a = TVector.Broadcast(a6[row2]);
                        TVector.Accumulate(ref c8x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c8y, a, w1);
                    }

                    if (TRows.Value > 9)
                    {
                        a = TVector.Broadcast(a9[0]);
                        TVector.Accumulate(ref c9x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c9y, a, w1);
                    }

                    if (TRows.Value > 10)
                    {
                        a = TVector.Broadcast(a9[row]);
                        TVector.Accumulate(ref c10x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c10y, a, w1);
                    }

                    if (TRows.Value > 11)
                    {
                        a = TVector.Broadcast(a9[row2]);
                        TVector.Accumulate(ref c11x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c11y, a, w1);
                    }

                    if (TRows.Value > 12)
                    {
                        a = TVector.Broadcast(a12[0]);
                        TVector.Accumulate(ref c12x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c12y, a, w1);
                    }

                    if (TRows.Value > 13)
                    {
                        a = TVector.Broadcast(a12[row]);
                        TVector.Accumulate(ref c13x, a, w0);
                        if (TColumns.Value == 2)
                            TVector.Accumulate(ref c13y, a, w1);
                    }

                    a0 = (float*)((byte*)a0 + leftBytes);
                    if (TRows.Value > 3)
                        a3 = (float*)((byte*)a3 + leftBytes);
                    if (TRows.Value > 6)
                        a6 = (float*)((byte*)a6 + leftBytes);
                    if (TRows.Value > 9)
                        a9 = (float*)((byte*)a9 + leftBytes);
                    if (TRows.Value > 12)
                        a12 = (float*)((byte*)a12 + leftBytes);

                    if (TAsking.IsOn)
                    {
                        Prefetch.LineToSecondLevel(next);
                        next += nextStep;
                    }
                }
                while (--pixel != 0);

                leftLine += tile.LeftLine;
                rightLine += tile.RightLine;
            }

            if (TAsking.IsOn)
                tile.Ahead->Put(next, nextStep);

            float* gradient = tileGradient;
            Store<TVector, TColumns, TEdge>(gradient, c0x, c0y, last);
            gradient += tile.GradientRow;

            if (TRows.Value > 1)
            {
                Store<TVector, TColumns, TEdge>(gradient, c1x, c1y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 2)
            {
                Store<TVector, TColumns, TEdge>(gradient, c2x, c2y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 3)
            {
                Store<TVector, TColumns, TEdge>(gradient, c3x, c3y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 4)
            {
                Store<TVector, TColumns, TEdge>(gradient, c4x, c4y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 5)
            {
                Store<TVector, TColumns, TEdge>(gradient, c5x, c5y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 6)
            {
                Store<TVector, TColumns, TEdge>(gradient, c6x, c6y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 7)
            {
                Store<TVector, TColumns, TEdge>(gradient, c7x, c7y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 8)
            {
                Store<TVector, TColumns, TEdge>(gradient, c8x, c8y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 9)
            {
                Store<TVector, TColumns, TEdge>(gradient, c9x, c9y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 10)
            {
                Store<TVector, TColumns, TEdge>(gradient, c10x, c10y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 11)
            {
                Store<TVector, TColumns, TEdge>(gradient, c11x, c11y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 12)
            {
                Store<TVector, TColumns, TEdge>(gradient, c12x, c12y, last);
                gradient += tile.GradientRow;
            }

            if (TRows.Value > 13)
            {
                Store<TVector, TColumns, TEdge>(gradient, c13x, c13y, last);
            }

            left += tile.LeftTile;
            tileGradient += tile.GradientTile;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector First, TVector Second) Load<TVector, TColumns, TEdge>(float* source, int last)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (TColumns.Value == 2)
            return (TVector.Load(source), TEdge.Load<TVector>(source + TVector.Lanes, last));

        TVector only = TEdge.Load<TVector>(source, last);
        return (only, only);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector, TColumns, TEdge>(float* destination, TVector first, TVector second, int last)
        where TVector : struct, IVector<TVector>
        where TColumns : struct, ISize
        where TEdge : struct, IEdge
    {
        if (TColumns.Value == 2)
        {
            TVector.Store(destination, first);
            TEdge.Store(destination + TVector.Lanes, second, last);
        }
        else
        {
            TEdge.Store(destination, first, last);
        }
    }
}
