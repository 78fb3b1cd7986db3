using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// Batch normalization and a rectifier, or none, before a max-pooling of 2x2 windows that cover the image. Neither changes the order of values but that a negative gamma turns it around: a window's winner is known
/// before its statistics are, and only the winner has a gradient.
/// </summary>
internal static unsafe class PooledNormalizationKernel
{
    /// <summary>
    /// Of each window writes the cell that will be the largest, and its number: x where gamma is positive, -x where it is negative, and the first where it is 0. Ties go to the first, a NaN wins.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Pool<TVector>(float* x, float* gamma, float* winner, byte* winners, int windowRows, int width, int channels)
        where TVector : struct, IVector<TVector>
    {
        int whole = channels / TVector.Lanes * TVector.Lanes, rest = channels - whole;
        nint below = (nint)width * channels;
        for (int row = 0; row < windowRows; row++, x += below)
        {
            for (int column = 0; column < width; column += 2, x += 2 * channels, winner += channels, winners += channels)
            {
                int i = 0;
                for (; i < whole; i += TVector.Lanes)
                    PoolWindow<TVector, Whole>(x + i, channels, below, gamma + i, winner + i, winners + i, TVector.Lanes);

                if (rest > 0)
                    PoolWindow<TVector, Partial>(x + i, channels, below, gamma + i, winner + i, winners + i, rest);
            }
        }
    }

    /// <summary>
    /// dx as <see cref="BatchNormalizationKernel.BackwardInput{TVector, TActivation}"/> has it, where dy are the windows' gradients, which go to their winners.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void BackwardInput<TVector, TActivation>(
        float* x, float* dy, byte* winners, float* mean, float* scale, float* beta, float* slope, float* offset, float* dx, int windowRows, int width, int channels, bool isFromMemory = false)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
    {
        int whole = channels / TVector.Lanes * TVector.Lanes, rest = channels - whole;
        nint below = (nint)width * channels, ahead = 2 * BatchNormalizationKernel.Ahead(channels, isFromMemory);
        for (int row = 0; row < windowRows; row++, x += below, dx += below)
        {
            for (int column = 0; column < width; column += 2, x += 2 * channels, dx += 2 * channels, dy += channels, winners += channels)
            {
                AskAhead(x, below, ahead);
                int i = 0;
                for (; i < whole; i += TVector.Lanes)
                    BackwardWindow<TVector, TActivation, Whole>(x + i, dy + i, winners + i, channels, below, mean + i, scale + i, beta + i, slope + i, offset + i, dx + i, TVector.Lanes);

                if (rest > 0)
                    BackwardWindow<TVector, TActivation, Partial>(x + i, dy + i, winners + i, channels, below, mean + i, scale + i, beta + i, slope + i, offset + i, dx + i, rest);
            }
        }
    }

    /// <summary>Asks for the same window's cells in the next row of windows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskAhead(float* window, nint below, nint count)
    {
        Prefetch.ToSecondLevel(window + (2 * below), count);
        Prefetch.ToSecondLevel(window + (3 * below), count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PoolWindow<TVector, TEdge>(float* window, int right, nint below, float* gamma, float* winner, byte* winners, int count)
        where TVector : struct, IVector<TVector>
        where TEdge : struct, IEdge
    {
        TVector sign = Sign(TEdge.Load<TVector>(gamma, count));
        TVector first = TEdge.Load<TVector>(window, count), second = TEdge.Load<TVector>(window + right, count);
        TVector third = TEdge.Load<TVector>(window + below, count), fourth = TEdge.Load<TVector>(window + below + right, count);
        TVector best = first * sign, number = TVector.Zero;
        TVector.TakeGreater(ref best, ref number, second * sign, TVector.Broadcast(1));
        TVector.TakeGreater(ref best, ref number, third * sign, TVector.Broadcast(2));
        TVector.TakeGreater(ref best, ref number, fourth * sign, TVector.Broadcast(3));
        TVector value = TVector.Select(TVector.EqualTo(number, TVector.Broadcast(1)), second, first);
        value = TVector.Select(TVector.EqualTo(number, TVector.Broadcast(2)), third, value);
        TEdge.Store(winner, TVector.Select(TVector.EqualTo(number, TVector.Broadcast(3)), fourth, value), count);
        TEdge.StoreBytes(winners, number, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sign<TVector>(TVector value)
        where TVector : struct, IVector<TVector> => TVector.Select(
            TVector.LessThan(TVector.Zero, value), TVector.Broadcast(1), TVector.Select(TVector.LessThan(value, TVector.Zero), TVector.Broadcast(-1), value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BackwardWindow<TVector, TActivation, TEdge>(
        float* window, float* dy, byte* winners, int right, nint below, float* mean, float* scale, float* beta, float* slope, float* offset, float* dx, int count)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation
        where TEdge : struct, IEdge
    {
        TVector centre = TEdge.Load<TVector>(mean, count), factor = TEdge.Load<TVector>(scale, count), shift = TEdge.Load<TVector>(beta, count);
        TVector rise = TEdge.Load<TVector>(slope, count), constant = TEdge.Load<TVector>(offset, count);
        TVector gradient = TEdge.Load<TVector>(dy, count), number = TEdge.LoadBytes<TVector>(winners, count);
        TEdge.Store(dx, BatchNormalizationKernel.InputGradient<TVector, TActivation>(
            TEdge.Load<TVector>(window, count) - centre, TVector.And(TVector.EqualTo(number, TVector.Zero), gradient), factor, shift, rise, constant), count);
        TEdge.Store(dx + right, BatchNormalizationKernel.InputGradient<TVector, TActivation>(
            TEdge.Load<TVector>(window + right, count) - centre, TVector.And(TVector.EqualTo(number, TVector.Broadcast(1)), gradient), factor, shift, rise, constant), count);
        TEdge.Store(dx + below, BatchNormalizationKernel.InputGradient<TVector, TActivation>(
            TEdge.Load<TVector>(window + below, count) - centre, TVector.And(TVector.EqualTo(number, TVector.Broadcast(2)), gradient), factor, shift, rise, constant), count);
        TEdge.Store(dx + below + right, BatchNormalizationKernel.InputGradient<TVector, TActivation>(
            TEdge.Load<TVector>(window + below + right, count) - centre, TVector.And(TVector.EqualTo(number, TVector.Broadcast(3)), gradient), factor, shift, rise, constant), count);
    }
}
