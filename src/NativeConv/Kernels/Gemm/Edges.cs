using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>How a block's last vector is read and written: whole, or only its first lanes.</summary>
internal unsafe interface IEdge
{
    static abstract bool IsPartial { get; }

    static abstract TVector Load<TVector>(float* source, int count)
        where TVector : struct, IVector<TVector>;

    static abstract void Store<TVector>(float* destination, TVector value, int count)
        where TVector : struct, IVector<TVector>;

    static abstract TVector LoadBytes<TVector>(byte* source, int count)
        where TVector : struct, IVector<TVector>;

    static abstract void StoreBytes<TVector>(byte* destination, TVector value, int count)
        where TVector : struct, IVector<TVector>;
}

/// <summary>Every lane exists.</summary>
internal readonly unsafe struct Whole : IEdge
{
    public static bool IsPartial => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector>(float* source, int count)
        where TVector : struct, IVector<TVector> => TVector.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TVector>(float* destination, TVector value, int count)
        where TVector : struct, IVector<TVector> => TVector.Store(destination, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadBytes<TVector>(byte* source, int count)
        where TVector : struct, IVector<TVector> => TVector.LoadBytes(source, TVector.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes<TVector>(byte* destination, TVector value, int count)
        where TVector : struct, IVector<TVector> => TVector.StoreBytes(destination, value, TVector.Lanes);
}

/// <summary>Only the first lanes exist; nothing beyond them is touched.</summary>
internal readonly unsafe struct Partial : IEdge
{
    public static bool IsPartial => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TVector>(float* source, int count)
        where TVector : struct, IVector<TVector> => TVector.LoadPartial(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TVector>(float* destination, TVector value, int count)
        where TVector : struct, IVector<TVector> => TVector.StorePartial(destination, value, count);
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector LoadBytes<TVector>(byte* source, int count)
        where TVector : struct, IVector<TVector> => TVector.LoadBytes(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes<TVector>(byte* destination, TVector value, int count)
        where TVector : struct, IVector<TVector> => TVector.StoreBytes(destination, value, count);
}
