using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Average pooling of whole images, a lane a channel, over the cells inside the image, added in row order.</summary>
internal static unsafe class AveragePoolKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Forward<TVector>(in Conv2DGeometry geometry, int channels, float* x, float* y, int images)
        where TVector : struct, IVector<TVector>
    {
        for (int image = 0; image < images; image++)
        {
            var visitor = new Mean<TVector>(geometry.InputWidth, channels, x, y);
            PoolWindow.ForEach(geometry, ref visitor);
            x += (nint)geometry.InputPixels * channels;
            y += (nint)geometry.OutputPixels * channels;
        }
    }

    /// <summary>Writes dx: each output's gradient is spread evenly over its window.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Backward<TVector>(in Conv2DGeometry geometry, int channels, float* dy, float* dx, int images)
        where TVector : struct, IVector<TVector>
    {
        nint input = (nint)geometry.InputPixels * channels;
        for (int image = 0; image < images; image++)
        {
            new Span<float>(dx, checked((int)input)).Clear();
            var visitor = new Gradient<TVector>(geometry.InputWidth, channels, dx, dy);
            PoolWindow.ForEach(geometry, ref visitor);
            dy += (nint)geometry.OutputPixels * channels;
            dx += input;
        }
    }

    private readonly ref struct Mean<TVector>(int width, int channels, float* x, float* y) : PoolWindow.IVisitor
        where TVector : struct, IVector<TVector>
    {
        public void Visit(in PoolWindow window, nint outputPixel)
        {
            float* to = y + (outputPixel * channels);
            TVector cells = TVector.Broadcast(window.Cells);
            int channel = 0;
            for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
                Lanes<Whole>(window, cells, to + channel, channel, TVector.Lanes);

            if (channel < channels)
                Lanes<Partial>(window, cells, to + channel, channel, channels - channel);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Lanes<TEdge>(in PoolWindow window, TVector cells, float* to, int channel, int count)
            where TEdge : struct, IEdge
        {
            TVector sum = TVector.Zero;
            for (int row = window.FirstRow; row < window.EndRow; row++)
            {
                float* cell = x + ((window.Origin + ((nint)row * width) + window.FirstColumn) * channels) + channel;
                for (int column = window.FirstColumn; column < window.EndColumn; column++, cell += channels)
                    sum += TEdge.Load<TVector>(cell, count);
            }

            TEdge.Store(to, sum / cells, count);
        }
    }

    private readonly ref struct Gradient<TVector>(int width, int channels, float* dx, float* dy) : PoolWindow.IVisitor
        where TVector : struct, IVector<TVector>
    {
        public void Visit(in PoolWindow window, nint outputPixel)
        {
            float* from = dy + (outputPixel * channels);
            TVector cells = TVector.Broadcast(window.Cells);
            int channel = 0;
            for (; channel + TVector.Lanes <= channels; channel += TVector.Lanes)
                Lanes<Whole>(window, cells, from + channel, channel, TVector.Lanes);

            if (channel < channels)
                Lanes<Partial>(window, cells, from + channel, channel, channels - channel);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Lanes<TEdge>(in PoolWindow window, TVector cells, float* from, int channel, int count)
            where TEdge : struct, IEdge
        {
            TVector share = TEdge.Load<TVector>(from, count) / cells;
            for (int row = window.FirstRow; row < window.EndRow; row++)
            {
                float* cell = dx + ((window.Origin + ((nint)row * width) + window.FirstColumn) * channels) + channel;
                for (int column = window.FirstColumn; column < window.EndColumn; column++, cell += channels)
                    TEdge.Store(cell, TEdge.Load<TVector>(cell, count) + share, count);
            }
        }
    }
}
