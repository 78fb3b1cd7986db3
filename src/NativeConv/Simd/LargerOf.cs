using System.Runtime.CompilerServices;

namespace NativeConv.Simd;

/// <summary>What vectors without registers for masks share. No body in <see cref="IVector{TSelf}"/>: those are not inlined.</summary>
internal static class LargerOf
{
    /// <inheritdoc cref="IVector{TSelf}.TakeGreater"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Take<TVector>(ref TVector best, ref TVector winner, TVector value, TVector number)
        where TVector : struct, IVector<TVector>
    {
        TVector takes = TVector.Select(TVector.LessThanOrEqual(value, best), TVector.Zero, TVector.EqualTo(best, best));
        winner = TVector.Select(takes, number, winner);
        best = TVector.Select(takes, value, best);
    }
}
