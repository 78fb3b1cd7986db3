using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Weight gradient of a vector of input channels, from each output channel's list of values that are not zero: a value multiplies what its pixel sees through every tap of a tile, whose sums are in registers
/// while a list is walked. Lanes are input channels; x is a copy of theirs alone with zeros around the image, small enough for the first-level cache.
/// </summary>
internal static unsafe class SparseTapKernel
{
    /// <summary>Taps of a tile at most.</summary>
    public const int TileRows = 3, TileColumns = 3;

    /// <summary>Some taps, a vector of input channels and all output channels.</summary>
    public ref struct Tile
    {
        /// <summary>What an entry of offset 0 sees through the first tap; floats from a tap to the next, and from a row of taps.</summary>
        public float* X;
        public nint Tap, TapRow;

        /// <summary>The first tap's sums; floats from a tap to the next, from a row of taps, and from an output channel.</summary>
        public float* Gradient;
        public nint GradientTap, GradientTapRow, GradientChannel;

        /// <summary>Entries of each output channel, from one's to the next one's, and how many each has.</summary>
        public SparseEntry* Entries;
        public nint List;
        public int* Counts;
        public int OutputChannels;
    }

    /// <summary>Adds to the sums of <paramref name="rows"/> by <paramref name="columns"/> taps.</summary>
    public static void Run<TVector>(int rows, int columns, in Tile tile)
        where TVector : struct, IVector<TVector>
    {
        switch (rows)
        {
            case 1:
                Run<TVector, N1>(columns, tile);
                break;
            case 2:
                Run<TVector, N2>(columns, tile);
                break;
            case 3:
                Run<TVector, N3>(columns, tile);
                break;
            default:
                throw SizeDispatch.Outside(rows);
        }
    }

    private static void Run<TVector, TRows>(int columns, in Tile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
    {
        switch (columns)
        {
            case 1:
                Sum<TVector, TRows, N1>(tile);
                break;
            case 2:
                Sum<TVector, TRows, N2>(tile);
                break;
            case 3:
                Sum<TVector, TRows, N3>(tile);
                break;
            default:
                throw SizeDispatch.Outside(columns);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TVector, TRows, TColumns>(in Tile tile)
        where TVector : struct, IVector<TVector>
        where TRows : struct, ISize
        where TColumns : struct, ISize
    {
        byte* x = (byte*)tile.X;
        float* dw = tile.Gradient;
        nint tap = tile.Tap, tap2 = 2 * tap, rowBytes = tile.TapRow * sizeof(float), gradientTap = tile.GradientTap, gradientRow = tile.GradientTapRow;
        SparseEntry* list = tile.Entries;
        for (int channel = 0; channel < tile.OutputChannels; channel++, dw += tile.GradientChannel, list += tile.List)
        {
            SparseEntry* entry = list, end = list + tile.Counts[channel];
            if (entry == end)
                continue;

            TVector c00 = TVector.Load(dw), c01 = TVector.Zero, c02 = TVector.Zero, c10 = TVector.Zero, c11 = TVector.Zero, c12 = TVector.Zero, c20 = TVector.Zero, c21 = TVector.Zero, c22 = TVector.Zero;
            float* second = dw + gradientRow, third = second + gradientRow;
            if (TColumns.Value > 1)
                c01 = TVector.Load(dw + gradientTap);

            if (TColumns.Value > 2)
                c02 = TVector.Load(dw + (2 * gradientTap));

            if (TRows.Value > 1)
            {
                c10 = TVector.Load(second);
                if (TColumns.Value > 1)
                    c11 = TVector.Load(second + gradientTap);

                if (TColumns.Value > 2)
                    c12 = TVector.Load(second + (2 * gradientTap));
            }

            if (TRows.Value > 2)
            {
                c20 = TVector.Load(third);
                if (TColumns.Value > 1)
                    c21 = TVector.Load(third + gradientTap);

                if (TColumns.Value > 2)
                    c22 = TVector.Load(third + (2 * gradientTap));
            }

            float* seen = (float*)(x + entry->Offset), next = (float*)(x + entry[1].Offset);
            do
            {
                float* afterNext = (float*)(x + entry[2].Offset);
                TVector value = TVector.Broadcast(entry->Value);
                entry++;
                TVector.Accumulate(ref c00, value, seen);
                if (TColumns.Value > 1)
                    TVector.Accumulate(ref c01, value, seen + tap);

                if (TColumns.Value > 2)
                    TVector.Accumulate(ref c02, value, seen + tap2);

                if (TRows.Value > 1)
                {
                    seen = (float*)((byte*)seen + rowBytes);
                    TVector.Accumulate(ref c10, value, seen);
                    if (TColumns.Value > 1)
                        TVector.Accumulate(ref c11, value, seen + tap);

                    if (TColumns.Value > 2)
                        TVector.Accumulate(ref c12, value, seen + tap2);
                }

                if (TRows.Value > 2)
                {
                    seen = (float*)((byte*)seen + rowBytes);
                    TVector.Accumulate(ref c20, value, seen);
                    if (TColumns.Value > 1)
                        TVector.Accumulate(ref c21, value, seen + tap);

                    if (TColumns.Value > 2)
                        TVector.Accumulate(ref c22, value, seen + tap2);
                }

                seen = next;
                next = afterNext;
            }
            while (entry != end);

            TVector.Store(dw, c00);
            if (TColumns.Value > 1)
                TVector.Store(dw + gradientTap, c01);

            if (TColumns.Value > 2)
                TVector.Store(dw + (2 * gradientTap), c02);

            if (TRows.Value > 1)
            {
                TVector.Store(second, c10);
                if (TColumns.Value > 1)
                    TVector.Store(second + gradientTap, c11);

                if (TColumns.Value > 2)
                    TVector.Store(second + (2 * gradientTap), c12);
            }

            if (TRows.Value > 2)
            {
                TVector.Store(third, c20);
                if (TColumns.Value > 1)
                    TVector.Store(third + gradientTap, c21);

                if (TColumns.Value > 2)
                    TVector.Store(third + (2 * gradientTap), c22);
            }
        }
    }
}
