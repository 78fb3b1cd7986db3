namespace NativeConv.Kernels;

/// <summary>Rows, or the vectors of a row, split into as few tiles as can be, as even as can be: some of <see cref="Short"/> + 1 rows, the rest of <see cref="Short"/>.</summary>
internal readonly struct TileRows
{
    public TileRows(int rows, int most)
    {
        Tiles = (rows + most - 1) / most;
        Short = rows / Tiles;
        Long = rows % Tiles;
    }

    public int Tiles { get; }

    /// <summary>Rows of a short tile.</summary>
    public int Short { get; }

    /// <summary>How many tiles, the first ones, have a row more.</summary>
    public int Long { get; }

    public int RowsOf(int tile) => tile < Long ? Short + 1 : Short;

    /// <summary>The first row of a tile.</summary>
    public int Start(int tile) => (tile * Short) + Math.Min(tile, Long);
}
