using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Max-pooling by 2x2 windows that lie whole within the image and do not overlap: the four cells of a window, and its winner, in registers.</summary>
internal static unsafe class MaxPool2x2
{
    /// <summary>A winner that is none of the four cells: nothing flows back.</summary>
    private const int NoCell = 4;

    /// <summary>What is done with a vector of channels of one window, whose cells are at window, right of it, below it and both.</summary>
    private interface IOperation
    {
        static abstract void Run<TVector, TEdge>(float* window, int right, nint below, float* output, byte* winners, int count)
            where TVector : struct, IVector<TVector>
            where TEdge : struct, IEdge;
    }

    public static bool Fits(in Conv2DGeometry geometry) =>
        geometry.KernelHeight == 2 && geometry.KernelWidth == 2 && geometry.StrideHeight >= 2 && geometry.StrideWidth >= 2
        && geometry.PadTop == 0 && geometry.PadLeft == 0
        && ((geometry.OutputHeight - 1) * geometry.StrideHeight) + 2 <= geometry.InputHeight
        && ((geometry.OutputWidth - 1) * geometry.StrideWidth) + 2 <= geometry.InputWidth;

    /// <summary>
    /// Rows of one image's y, first up to end, and their winners unless null. Where a rectifier gave x, a maximum on its bounds has no winner: of a window's cells the maximum alone could get a
    /// gradient, so that this is the rectifier's backward.
    /// </summary>
    public static void Forward<TVector>(in Conv2DGeometry geometry, int channels, Rectifier rectifier, float* x, float* y, byte* winners, int first, int end)
        where TVector : struct, IVector<TVector>
    {
        if (winners == null)
            ForEach<TVector, Maximum>(geometry, channels, x, y, null, first, end);
        else if (!rectifier.IsOn)
            ForEach<TVector, Winner<LinearFunction>>(geometry, channels, x, y, winners, first, end);
        else if (rectifier.IsCapped)
            ForEach<TVector, Winner<Relu6Function>>(geometry, channels, x, y, winners, first, end);
        else
            ForEach<TVector, Winner<ReluFunction>>(geometry, channels, x, y, winners, first, end);
    }

    /// <summary>One image: writes dx in the windows' cells, and nothing between the windows.</summary>
    public static void Backward<TVector>(in Conv2DGeometry geometry, int channels, float* dy, byte* winners, float* dx)
        where TVector : struct, IVector<TVector> => ForEach<TVector, Spread>(geometry, channels, dx, dy, winners, 0, geometry.OutputHeight);

    /// <summary>Of gradients of some windows leaves, in place, those that have a winner.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LeaveWinners<TVector>(float* dy, byte* winners, nint count)
        where TVector : struct, IVector<TVector>
    {
        nint i = 0;
        for (; i + TVector.Lanes <= count; i += TVector.Lanes)
            TVector.Store(dy + i, TVector.And(TVector.LessThan(TVector.LoadBytes(winners + i, TVector.Lanes), TVector.Broadcast(NoCell)), TVector.Load(dy + i)));

        int rest = (int)(count - i);
        if (rest > 0)
            TVector.StorePartial(dy + i, TVector.And(TVector.LessThan(TVector.LoadBytes(winners + i, rest), TVector.Broadcast(NoCell)), TVector.LoadPartial(dy + i, rest)), rest);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForEach<TVector, TOperation>(in Conv2DGeometry geometry, int channels, float* input, float* output, byte* winners, int first, int end)
        where TVector : struct, IVector<TVector>
        where TOperation : struct, IOperation
    {
        nint step = (nint)geometry.StrideWidth * channels, below = (nint)geometry.InputWidth * channels;
        int whole = channels / TVector.Lanes * TVector.Lanes;
        nint start = (nint)first * geometry.OutputWidth * channels;
        output += start;
        winners += winners == null ? 0 : start;
        for (int row = first; row < end; row++)
        {
            float* window = input + (row * geometry.StrideHeight * below);
            for (int column = 0; column < geometry.OutputWidth; column++, window += step, output += channels)
            {
                for (int channel = 0; channel < whole; channel += TVector.Lanes)
                    TOperation.Run<TVector, Whole>(window + channel, channels, below, output + channel, winners == null ? null : winners + channel, TVector.Lanes);

                if (whole < channels)
                    TOperation.Run<TVector, Partial>(window + whole, channels, below, output + whole, winners == null ? null : winners + whole, channels - whole);

                winners += winners == null ? 0 : channels;
            }
        }
    }

    /// <summary>
    /// The maximum of a window's cells, which are in registers, and where TWinners is 1 its winner; what a rectifier makes of the cells first it makes of their maximum too, and where that is on its bounds none
    /// wins.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pool<TVector, TWinners>(TVector first, TVector second, TVector third, TVector fourth, float* output, byte* winners, Rectifier rectifier)
        where TVector : struct, IVector<TVector>
        where TWinners : struct, ISize
    {
        TVector winner = TVector.Zero;
        TVector.TakeGreater(ref first, ref winner, second, TVector.Broadcast(1));
        TVector.TakeGreater(ref first, ref winner, third, TVector.Broadcast(2));
        TVector.TakeGreater(ref first, ref winner, fourth, TVector.Broadcast(3));
        if (rectifier.IsOn)
            first = rectifier.Apply(first);

        TVector.Store(output, first);
        if (TWinners.Value == 0)
            return;

        if (rectifier.IsOn)
            winner = rectifier.IsCapped ? LeaveInside<TVector, Relu6Function>(winner, first) : LeaveInside<TVector, ReluFunction>(winner, first);

        TVector.StoreBytes(winners, winner, TVector.Lanes);
    }

    /// <summary>No winner where a maximum is on the bounds of what gave the cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector LeaveInside<TVector, TActivation>(TVector winner, TVector best)
        where TVector : struct, IVector<TVector>
        where TActivation : struct, IActivation =>
        TVector.Select(TVector.EqualTo(TActivation.Backward(best, TVector.Broadcast(1)), TVector.Zero), TVector.Broadcast(NoCell), winner);

    private readonly struct Maximum : IOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Run<TVector, TEdge>(float* window, int right, nint below, float* output, byte* winners, int count)
            where TVector : struct, IVector<TVector>
            where TEdge : struct, IEdge
        {
            TVector best = TEdge.Load<TVector>(window, count), none = TVector.Zero;
            TVector.TakeGreater(ref best, ref none, TEdge.Load<TVector>(window + right, count), none);
            TVector.TakeGreater(ref best, ref none, TEdge.Load<TVector>(window + below, count), none);
            TVector.TakeGreater(ref best, ref none, TEdge.Load<TVector>(window + below + right, count), none);
            TEdge.Store(output, best, count);
        }
    }

    /// <typeparam name="TActivation">What gave the cells.</typeparam>
    private readonly struct Winner<TActivation> : IOperation
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Run<TVector, TEdge>(float* window, int right, nint below, float* output, byte* winners, int count)
            where TVector : struct, IVector<TVector>
            where TEdge : struct, IEdge
        {
            TVector best = TEdge.Load<TVector>(window, count), winner = TVector.Zero;
            TVector.TakeGreater(ref best, ref winner, TEdge.Load<TVector>(window + right, count), TVector.Broadcast(1));
            TVector.TakeGreater(ref best, ref winner, TEdge.Load<TVector>(window + below, count), TVector.Broadcast(2));
            TVector.TakeGreater(ref best, ref winner, TEdge.Load<TVector>(window + below + right, count), TVector.Broadcast(3));
            if (typeof(TActivation) != typeof(LinearFunction))
                winner = LeaveInside<TVector, TActivation>(winner, best);

            TEdge.Store(output, best, count);
            TEdge.StoreBytes(winners, winner, count);
        }
    }

    private readonly struct Spread : IOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Run<TVector, TEdge>(float* window, int right, nint below, float* output, byte* winners, int count)
            where TVector : struct, IVector<TVector>
            where TEdge : struct, IEdge
        {
            TVector gradient = TEdge.Load<TVector>(output, count), winner = TEdge.LoadBytes<TVector>(winners, count);
            TEdge.Store(window, TVector.And(TVector.EqualTo(winner, TVector.Zero), gradient), count);
            TEdge.Store(window + right, TVector.And(TVector.EqualTo(winner, TVector.Broadcast(1)), gradient), count);
            TEdge.Store(window + below, TVector.And(TVector.EqualTo(winner, TVector.Broadcast(2)), gradient), count);
            TEdge.Store(window + below + right, TVector.And(TVector.EqualTo(winner, TVector.Broadcast(3)), gradient), count);
        }
    }
}
