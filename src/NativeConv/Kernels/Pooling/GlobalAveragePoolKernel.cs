using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>The mean of each channel over an image's pixels, and its gradient.</summary>
internal static unsafe class GlobalAveragePoolKernel
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Forward<TVector>(int pixels, int channels, float* x, float* y, int images)
        where TVector : struct, IVector<TVector>
    {
        for (int image = 0; image < images; image++)
        {
            new Span<float>(y, channels).Clear();
            ColumnSumKernel.Run<TVector>(x, y, pixels, channels);
            Divide<TVector>(y, y, channels, pixels);
            x += (nint)pixels * channels;
            y += channels;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Backward<TVector>(int pixels, int channels, float* dy, float* dx, int images)
        where TVector : struct, IVector<TVector>
    {
        for (int image = 0; image < images; image++)
        {
            Divide<TVector>(dy, dx, channels, pixels);
            for (int pixel = 1; pixel < pixels; pixel++)
                new ReadOnlySpan<float>(dx, channels).CopyTo(new(dx + ((nint)pixel * channels), channels));

            dy += channels;
            dx += (nint)pixels * channels;
        }
    }

    private static void Divide<TVector>(float* x, float* y, int count, float by)
        where TVector : struct, IVector<TVector>
    {
        TVector divisor = TVector.Broadcast(by);
        for (int i = 0; i < count; i += TVector.Lanes)
        {
            int lanes = Math.Min(TVector.Lanes, count - i);
            TVector.StorePartial(y + i, TVector.LoadPartial(x + i, lanes) / divisor, lanes);
        }
    }
}
