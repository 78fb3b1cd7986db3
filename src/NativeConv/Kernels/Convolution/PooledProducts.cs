using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// The products of the cells of 2x2 windows with the weights of every tap, summed over output channels, from a pooling's gradient and winners: a cell's gradient is the window's where it has won, and 0 elsewhere.
/// Lanes are windows, so that every lane has its own sum and a tap's weight is the same for all. Order of summation: output channels ascending, one fused chain.
/// </summary>
/// <param name="taps">Taps.</param>
/// <param name="channels">Output channels, a multiple of <see cref="Block"/>.</param>
internal readonly unsafe struct PooledProducts(int taps, int channels)
{
    /// <summary>Windows whose gradients are brought together at once, at every level.</summary>
    private const int Block = 16;

    private const int Cells = 4;

    /// <summary>Taps whose sums are in registers at once; zeros stand for those that are missing.</summary>
    private const int TileTaps = 9;

    private int Tiles => (taps + TileTaps - 1) / TileTaps;

    public int PackedLength => Tiles * channels * TileTaps;

    /// <summary>Floats that <see cref="Run"/> needs for so many windows.</summary>
    public int ScratchLength(int windows) => (3 * Block * channels) + (Tiles * TileTaps * Cells * Plane(windows));

    /// <summary>Lays weights [taps, channels] out as [tile, channel, tap of the tile].</summary>
    public void Pack(float* weights, float* packed)
    {
        new Span<float>(packed, PackedLength).Clear();
        for (int tap = 0; tap < taps; tap += TileTaps)
            Transposition.Run(weights + ((nint)tap * channels), channels, packed + ((nint)tap * channels), TileTaps, Math.Min(TileTaps, taps - tap), channels);
    }

    /// <summary>Writes the products of rows of windows, whose gradients and winners are [rows, columns, channels], as lines of cells: two for each row, of each tap.</summary>
    /// <param name="pooled">Gradients.</param>
    /// <param name="winners">Winners.</param>
    /// <param name="rows">Rows of windows.</param>
    /// <param name="columns">Windows of a row.</param>
    /// <param name="packed">Packed weights.</param>
    /// <param name="lines">The first tap's first line.</param>
    /// <param name="line">Floats to the next line.</param>
    /// <param name="tapLines">Floats to the next tap's lines.</param>
    /// <param name="scratch">Memory of its own.</param>
    public void Run<TVector>(float* pooled, byte* winners, int rows, int columns, float* packed, float* lines, nint line, nint tapLines, float* scratch)
        where TVector : struct, IVector<TVector>
    {
        float* products = scratch + (3 * Block * channels);
        Multiply<TVector>(pooled, winners, rows * columns, packed, products, scratch);
        nint plane = Plane(rows * columns);
        for (int tap = 0; tap < taps; tap++, lines += tapLines, products += Cells * plane)
        {
            for (int row = 0; row < rows; row++)
            {
                float* first = products + (row * columns), to = lines + (2 * row * line);
                Transposition.Pair(first, first + plane, to, columns);
                Transposition.Pair(first + (2 * plane), first + (3 * plane), to + line, columns);
            }
        }
    }

    /// <summary>Floats of the products of a cell through a tap.</summary>
    private static int Plane(int windows) => (windows + Block - 1) / Block * Block;

    /// <summary>Products [taps, cells, windows] of windows that follow each other, with room for the taps that are missing.</summary>
    private void Multiply<TVector>(float* pooled, byte* winners, int windows, float* packed, float* products, float* scratch)
        where TVector : struct, IVector<TVector>
    {
        nint plane = Plane(windows);
        float* gradients = scratch, numbers = gradients + (Block * channels), rows = numbers + (Block * channels);
        for (; windows > 0; windows -= Block, pooled += Block * channels, winners += Block * channels, products += Block)
        {
            int count = Math.Min(Block, windows);
            Transposition.Run(pooled, channels, gradients, Block, count, channels);
            ToNumbers<TVector>(winners, rows, count * channels);
            Transposition.Run(rows, channels, numbers, Block, count, channels);
            for (int tile = 0; tile < Tiles; tile++)
            {
                var sums = new Tile
                {
                    Gradients = gradients, Winners = numbers, Weights = packed + ((nint)tile * channels * TileTaps), Channels = channels,
                    Products = products + (tile * TileTaps * Cells * plane), Plane = plane,
                };
                if (TVector.Registers >= 32)
                    Sum<TVector, N2>(sums);
                else
                    Sum<TVector, N1>(sums);
            }
        }
    }

    /// <summary>Some windows, and some taps of all cells.</summary>
    private ref struct Tile
    {
        /// <summary>The windows' gradients and winners, [channels, block].</summary>
        public float* Gradients, Winners;

        /// <summary>[channels, taps].</summary>
        public float* Weights;
        public nint Channels;

        /// <summary>[taps, cells, windows], and floats from a cell to the next.</summary>
        public float* Products;
        public nint Plane;
    }

    private static void ToNumbers<TVector>(byte* winners, float* numbers, int count)
        where TVector : struct, IVector<TVector>
    {
        for (int i = 0; i < count; i += TVector.Lanes)
            TVector.Store(numbers + i, TVector.LoadBytes(winners + i, TVector.Lanes));
    }

    /// <typeparam name="TVector">The level's vector.</typeparam>
    /// <typeparam name="TCells">Cells at a time, 1 or 2.</typeparam>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TVector, TCells>(in Tile tile)
        where TVector : struct, IVector<TVector>
        where TCells : struct, ISize
    {
        nint plane = tile.Plane, tap = Cells * plane;
        for (int lane = 0; lane < Block; lane += TVector.Lanes)
        {
            for (int cell = 0; cell < Cells; cell += TCells.Value)
            {
                TVector a0 = TVector.Zero, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, b6 = a0, b7 = a0, b8 = a0;
                TVector first = TVector.Broadcast(cell), second = TVector.Broadcast(cell + 1);
                float* gradients = tile.Gradients + lane, winners = tile.Winners + lane, weights = tile.Weights;
                for (nint channel = tile.Channels; channel != 0; channel--, gradients += Block, winners += Block, weights += TileTaps)
                {
                    TVector gradient = TVector.Load(gradients), winner = TVector.Load(winners), a = TVector.And(TVector.EqualTo(winner, first), gradient);
                    TVector b = TCells.Value > 1 ? TVector.And(TVector.EqualTo(winner, second), gradient) : a;
                    Add<TVector, TCells>(ref a0, ref b0, a, b, weights[0]);
                    Add<TVector, TCells>(ref a1, ref b1, a, b, weights[1]);
                    Add<TVector, TCells>(ref a2, ref b2, a, b, weights[2]);
                    Add<TVector, TCells>(ref a3, ref b3, a, b, weights[3]);
                    Add<TVector, TCells>(ref a4, ref b4, a, b, weights[4]);
                    Add<TVector, TCells>(ref a5, ref b5, a, b, weights[5]);
                    Add<TVector, TCells>(ref a6, ref b6, a, b, weights[6]);
                    Add<TVector, TCells>(ref a7, ref b7, a, b, weights[7]);
                    Add<TVector, TCells>(ref a8, ref b8, a, b, weights[8]);
                }

                float* to = tile.Products + (cell * plane) + lane;
                Store(to, tap, a0, a1, a2);
                Store(to + (3 * tap), tap, a3, a4, a5);
                Store(to + (6 * tap), tap, a6, a7, a8);
                if (TCells.Value == 1)
                    continue;

                to += plane;
                Store(to, tap, b0, b1, b2);
                Store(to + (3 * tap), tap, b3, b4, b5);
                Store(to + (6 * tap), tap, b6, b7, b8);
            }
        }
    }

    /// <summary>Adds a tap's products with the gradients of a cell, or of two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVector, TCells>(ref TVector sumA, ref TVector sumB, TVector a, TVector b, float weight)
        where TVector : struct, IVector<TVector>
        where TCells : struct, ISize
    {
        TVector factor = TVector.Broadcast(weight);
        TVector.Accumulate(ref sumA, a, factor);
        if (TCells.Value > 1)
            TVector.Accumulate(ref sumB, b, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVector>(float* to, nint tap, TVector first, TVector second, TVector third)
        where TVector : struct, IVector<TVector>
    {
        TVector.Store(to, first);
        TVector.Store(to + tap, second);
        TVector.Store(to + (2 * tap), third);
    }
}
