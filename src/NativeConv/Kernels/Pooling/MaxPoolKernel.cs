using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Max-pooling of whole images, a lane a channel. A window's winner is the number of its cell in row order, 0 to 255; behind a rectifier one beyond the window is none.</summary>
internal static unsafe class MaxPoolKernel
{
    /// <summary>Writes y, and the winners unless null. A rectifier only where <see cref="MaxPool2x2"/> fits: the one that gave x, whose backward the winners then hold.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Forward<TVector>(in Conv2DGeometry geometry, int channels, float* x, float* y, byte* winners, int images, Rectifier rectifier = default)
        where TVector : struct, IVector<TVector>
    {
        nint output = (nint)geometry.OutputPixels * channels;
        bool quads = MaxPool2x2.Fits(geometry);
        for (int image = 0; image < images; image++)
        {
            if (quads)
            {
                MaxPool2x2.Forward<TVector>(geometry, channels, rectifier, x, y, winners, 0, geometry.OutputHeight);
            }
            else
            {
                var visitor = new Maximum<TVector>(geometry.InputWidth, geometry.KernelWidth, channels, x, y, winners);
                PoolWindow.ForEach(geometry, ref visitor);
            }

            x += (nint)geometry.InputPixels * channels;
            y += output;
            winners += winners == null ? 0 : output;
        }
    }

    /// <summary>Writes dx: each output's gradient goes to its window's winner.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Backward<TVector>(in Conv2DGeometry geometry, int channels, float* dy, byte* winners, float* dx, int images)
        where TVector : struct, IVector<TVector>
    {
        nint input = (nint)geometry.InputPixels * channels, output = (nint)geometry.OutputPixels * channels;
        bool tile = PoolWindow.Tile(geometry), quads = MaxPool2x2.Fits(geometry);
        for (int image = 0; image < images; image++)
        {
            if (!tile)
                new Span<float>(dx, checked((int)input)).Clear();

            if (quads)
            {
                MaxPool2x2.Backward<TVector>(geometry, channels, dy, winners, dx);
            }
            else
            {
                var visitor = new Gradient<TVector>(geometry.InputWidth, geometry.KernelWidth, channels, dx, dy, winners, tile);
                PoolWindow.ForEach(geometry, ref visitor);
            }

            dy += output;
            winners += output;
            dx += input;
        }
    }

    private readonly ref struct Maximum<TVector>(int width, int kernelWidth, int channels, float* x, float* y, byte* winners) : PoolWindow.IVisitor
        where TVector : struct, IVector<TVector>
    {
        public void Visit(in PoolWindow window, nint outputPixel)
        {
            nint offset = outputPixel * channels;
            int channel = 0;
            for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
                Lanes<Whole>(window, offset, channel, TVector.Lanes);

            if (channel < channels)
                Lanes<Partial>(window, offset, channel, channels - channel);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Lanes<TEdge>(in PoolWindow window, nint offset, int channel, int count)
            where TEdge : struct, IEdge
        {
            TVector best = default, winner = default;
            bool first = true;
            for (int row = window.FirstRow; row < window.EndRow; row++)
            {
                float* cell = x + ((window.Origin + ((nint)row * width) + window.FirstColumn) * channels) + channel;
                for (int column = window.FirstColumn; column < window.EndColumn; column++, cell += channels)
                {
                    TVector value = TEdge.Load<TVector>(cell, count);
                    TVector number = TVector.Broadcast((row * kernelWidth) + column);
                    if (first)
                        (best, winner, first) = (value, number, false);
                    else
                        TVector.TakeGreater(ref best, ref winner, value, number);
                }
            }

            TEdge.Store(y + offset + channel, best, count);
            if (winners != null)
                TVector.StoreBytes(winners + offset + channel, winner, count);
        }
    }

    private readonly ref struct Gradient<TVector>(int width, int kernelWidth, int channels, float* dx, float* dy, byte* winners, bool tile) : PoolWindow.IVisitor
        where TVector : struct, IVector<TVector>
    {
        public void Visit(in PoolWindow window, nint outputPixel)
        {
            nint offset = outputPixel * channels;
            int channel = 0;
            for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
                Lanes<Whole>(window, offset, channel, TVector.Lanes);

            if (channel < channels)
                Lanes<Partial>(window, offset, channel, channels - channel);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Lanes<TEdge>(in PoolWindow window, nint offset, int channel, int count)
            where TEdge : struct, IEdge
        {
            TVector gradient = TEdge.Load<TVector>(dy + offset + channel, count);
            TVector winner = TVector.LoadBytes(winners + offset + channel, count);
            for (int row = window.FirstRow; row < window.EndRow; row++)
            {
                float* cell = dx + ((window.Origin + ((nint)row * width) + window.FirstColumn) * channels) + channel;
                for (int column = window.FirstColumn; column < window.EndColumn; column++, cell += channels)
                {
                    TVector won = TVector.EqualTo(winner, TVector.Broadcast((row * kernelWidth) + column));
                    TVector share = TVector.Select(won, gradient, TVector.Zero);
                    TEdge.Store(cell, tile ? share : share + TEdge.Load<TVector>(cell, count), count);
                }
            }
        }
    }
}
