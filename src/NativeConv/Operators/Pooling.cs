using NativeConv.Kernels;
using NativeConv.Operators;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>Max, average and global average pooling on spans of NHWC images, channel by channel.</summary>
public static unsafe class Pooling
{
    private enum PoolingPass
    {
        Max,
        MaxBackward,
        Average,
        AverageBackward,
        Global,
        GlobalBackward,
    }

    /// <summary>Writes each window's largest value and where it was. Ties go to the first cell in row order, a NaN wins, a padded cell never does.</summary>
    /// <param name="geometry">Sizes, strides and pads; every window sees a cell of the image, has at most 256 cells and no dilation.</param>
    /// <param name="channels">Channels c.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="y">[n, oh, ow, c], overwritten.</param>
    /// <param name="winners">[n, oh, ow, c], overwritten with each winner's number in its window in row order; empty for none.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or the geometry does not fit.</exception>
    public static void MaxForward(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> x, Span<float> y, Span<byte> winners = default, ExecutionOptions? execution = null)
    {
        int images = Check(geometry, channels, x, nameof(x), y, nameof(y));
        if (!winners.IsEmpty && winners.Length != y.Length)
            throw new ArgumentException($"winners must hold {y.Length} values like y, but holds {winners.Length}.", nameof(winners));

        fixed (float* from = x, to = y)
        fixed (byte* w = winners)
            SpanCall.Run(new PoolingWork(PoolingPass.Max, geometry, channels, from, w, to), images, execution);
    }

    /// <summary>Writes the loss's gradient by x: each output's goes to its window's winner.</summary>
    /// <param name="geometry">As forward.</param>
    /// <param name="channels">Channels c.</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, c].</param>
    /// <param name="winners">What forward wrote.</param>
    /// <param name="dx">[n, h, w, c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or the geometry does not fit.</exception>
    public static void MaxBackward(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> dy, ReadOnlySpan<byte> winners, Span<float> dx, ExecutionOptions? execution = null)
    {
        int images = Check(geometry, channels, dx, nameof(dx), dy, nameof(dy));
        if (winners.Length != dy.Length)
            throw new ArgumentException($"winners must hold {dy.Length} values like dy, but holds {winners.Length}.", nameof(winners));

        fixed (float* from = dy, to = dx)
        fixed (byte* w = winners)
            SpanCall.Run(new PoolingWork(PoolingPass.MaxBackward, geometry, channels, from, w, to), images, execution);
    }

    /// <summary>Writes each window's mean over its cells inside the image.</summary>
    /// <param name="geometry">Sizes, strides and pads; every window sees a cell of the image, and there is no dilation.</param>
    /// <param name="channels">Channels c.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="y">[n, oh, ow, c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or the geometry does not fit.</exception>
    public static void AverageForward(in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> x, Span<float> y, ExecutionOptions? execution = null)
    {
        int images = Check(geometry, channels, x, nameof(x), y, nameof(y));
        fixed (float* from = x, to = y)
            SpanCall.Run(new PoolingWork(PoolingPass.Average, geometry, channels, from, null, to), images, execution);
    }

    /// <summary>Writes the loss's gradient by x: each output's is spread evenly over its window.</summary>
    /// <param name="geometry">As forward.</param>
    /// <param name="channels">Channels c.</param>
    /// <param name="dy">The gradient by y, [n, oh, ow, c].</param>
    /// <param name="dx">[n, h, w, c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length or the geometry does not fit.</exception>
    public static void AverageBackward(in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> dy, Span<float> dx, ExecutionOptions? execution = null)
    {
        int images = Check(geometry, channels, dx, nameof(dx), dy, nameof(dy));
        fixed (float* from = dy, to = dx)
            SpanCall.Run(new PoolingWork(PoolingPass.AverageBackward, geometry, channels, from, null, to), images, execution);
    }

    /// <summary>Writes the mean of each channel over an image.</summary>
    /// <param name="shape">The shape of one image.</param>
    /// <param name="x">[n, h, w, c].</param>
    /// <param name="y">[n, c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void GlobalAverageForward(ImageShape shape, ReadOnlySpan<float> x, Span<float> y, ExecutionOptions? execution = null)
    {
        int images = Require.Images(x, shape.Length, nameof(x));
        Require.Length(y, (long)images * shape.Channels, nameof(y));
        fixed (float* from = x, to = y)
            SpanCall.Run(new PoolingWork(PoolingPass.Global, Whole(shape), shape.Channels, from, null, to), images, execution);
    }

    /// <summary>Writes the loss's gradient by x.</summary>
    /// <param name="shape">The shape of one image.</param>
    /// <param name="dy">The gradient by y, [n, c].</param>
    /// <param name="dx">[n, h, w, c], overwritten.</param>
    /// <param name="execution">How it computes; the machine's best where null.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void GlobalAverageBackward(ImageShape shape, ReadOnlySpan<float> dy, Span<float> dx, ExecutionOptions? execution = null)
    {
        int images = Require.Images(dx, shape.Length, nameof(dx));
        Require.Length(dy, (long)images * shape.Channels, nameof(dy));
        fixed (float* from = dy, to = dx)
            SpanCall.Run(new PoolingWork(PoolingPass.GlobalBackward, Whole(shape), shape.Channels, from, null, to), images, execution);
    }

    private static Conv2DGeometry Whole(ImageShape shape) =>
        new(shape.Height, shape.Width, new(shape.Height, shape.Width), 1, 1, Padding.Valid);

    private static int Check(
        in Conv2DGeometry geometry, int channels, ReadOnlySpan<float> image, string imageName, ReadOnlySpan<float> pooled, string pooledName)
    {
        Require.Positive(channels, nameof(channels));
        PoolWindow.Validate(geometry);
        int images = Require.Images(image, (long)geometry.InputPixels * channels, imageName);
        Require.Length(pooled, (long)images * geometry.OutputPixels * channels, pooledName);
        return images;
    }

    private readonly struct PoolingWork(PoolingPass pass, Conv2DGeometry geometry, int channels, float* from, byte* winners, float* to) : IImageWork
    {
        public void Run<TVector>(int first, int count)
            where TVector : struct, IVector<TVector>
        {
            nint input = (nint)geometry.InputPixels * channels * first, output = (nint)geometry.OutputPixels * channels * first;
            byte* won = winners == null ? null : winners + output;
            switch (pass)
            {
                case PoolingPass.Max:
                    MaxPoolKernel.Forward<TVector>(geometry, channels, from + input, to + output, won, count);
                    break;
                case PoolingPass.MaxBackward:
                    MaxPoolKernel.Backward<TVector>(geometry, channels, from + output, won, to + input, count);
                    break;
                case PoolingPass.Average:
                    AveragePoolKernel.Forward<TVector>(geometry, channels, from + input, to + output, count);
                    break;
                case PoolingPass.AverageBackward:
                    AveragePoolKernel.Backward<TVector>(geometry, channels, from + output, to + input, count);
                    break;
                case PoolingPass.Global:
                    GlobalAveragePoolKernel.Forward<TVector>(geometry.InputPixels, channels, from + input, to + output, count);
                    break;
                default:
                    GlobalAveragePoolKernel.Backward<TVector>(geometry.InputPixels, channels, from + output, to + input, count);
                    break;
            }
        }
    }
}
