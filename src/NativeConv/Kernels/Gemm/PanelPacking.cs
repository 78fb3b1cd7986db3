using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Copies a factor that micro-kernels read again and again to where they walk it in order. A panel holds a few values of every pixel, pixel after
/// pixel, each pixel's padded with zeros to whole vectors.
/// </summary>
internal static unsafe class PanelPacking
{
    /// <summary>Pixels copied at a time: they stay in the first-level cache while each panel takes its part of them.</summary>
    private const int PixelsAtATime = 16;

    /// <summary>Floats between panels, which keep them off each other's cache sets.</summary>
    private const int Gap = 16;

    /// <summary>Floats that a pixel's values take in a panel.</summary>
    public static int Width<TVector>(int values)
        where TVector : struct, IVector<TVector> => (values + TVector.Lanes - 1) / TVector.Lanes * TVector.Lanes;

    /// <summary>Floats from one panel of rows to the next, each pixel's taking <paramref name="width"/>.</summary>
    public static long RowPanel(long pixels, int width) => (pixels * width) + Gap;

    /// <summary>Packs a row a float of each pixel, a panel for each of <paramref name="panels"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void PackRows<TVector>(float* from, nint fromPixel, float* to, nint width, int pixels, int rows, TileRows panels)
        where TVector : struct, IVector<TVector>
    {
        nint panel = (nint)RowPanel(pixels, (int)width), aheadPart = rows == fromPixel ? PixelsAtATime * fromPixel / panels.Tiles : 0;
        for (int first = 0; first < pixels; first += PixelsAtATime)
        {
            int count = Math.Min(PixelsAtATime, pixels - first);
            float* source = from, destination = to, ahead = from + (PixelsAtATime * fromPixel);
            for (int tile = 0; tile < panels.Tiles; tile++)
            {
                int tileRows = panels.RowsOf(tile);
                for (int row = 0; row < tileRows; row += TVector.Lanes)
                    CopyVector<TVector>(source + row, fromPixel, destination + row, width, count, Math.Min(TVector.Lanes, tileRows - row));

                // The next pixels are asked for meanwhile: a tile's short pieces of each are no stream that hardware follows.
                Prefetch.ToSecondLevel(ahead, aheadPart);
                ahead += aheadPart;
                source += tileRows;
                destination += panel;
            }

            from += PixelsAtATime * fromPixel;
            to += PixelsAtATime * width;
        }
    }

    /// <summary>Copies <paramref name="values"/> floats of each pixel; pixels are evenly spaced on both sides.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Copy<TVector>(float* from, nint fromPixel, float* to, nint toPixel, int pixels, int values)
        where TVector : struct, IVector<TVector>
    {
        int lanes = TVector.Lanes;
        int value = 0;
        for (; value + (2 * lanes) <= values; value += 2 * lanes)
        {
            float* source = from + value, destination = to + value;
            for (int pixel = pixels; pixel > 0; pixel--)
            {
                TVector first = TVector.Load(source), second = TVector.Load(source + lanes);
                TVector.Store(destination, first);
                TVector.Store(destination + lanes, second);
                source += fromPixel;
                destination += toPixel;
            }
        }

        for (; value < values; value += lanes)
            CopyVector<TVector>(from + value, fromPixel, to + value, toPixel, pixels, Math.Min(lanes, values - value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyVector<TVector>(float* from, nint fromPixel, float* to, nint toPixel, int pixels, int values)
        where TVector : struct, IVector<TVector>
    {
        for (int pixel = pixels; pixel > 0; pixel--)
        {
            TVector.Store(to, TVector.LoadPartial(from, values));
            from += fromPixel;
            to += toPixel;
        }
    }
}
