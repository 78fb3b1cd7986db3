using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>
/// The first lanes of some vectors, from a buffer that holds them as whole vectors: a kernel that leaves its last vectors there has no partial stores of its own,
/// each of which would be several times as long as a whole one.
/// </summary>
internal static unsafe class EdgeColumn
{
    /// <summary>Stores the first lanes of the buffer's vectors <paramref name="step"/> floats apart.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Store<TVector>(float* buffer, float* destination, nint step, int vectors, int lanes)
        where TVector : struct, IVector<TVector>
    {
        for (; vectors > 0; vectors--)
        {
            TVector.StorePartial(destination, TVector.Load(buffer), lanes);
            destination += step;
            buffer += TVector.Lanes;
        }
    }
}
