using System.Runtime.CompilerServices;
using NativeConv.Simd;

namespace NativeConv.Kernels;

/// <summary>Arithmetic value by value. An output may be one of the inputs.</summary>
internal static unsafe class ElementwiseKernel
{
    private interface IBinary
    {
        static abstract TVector Apply<TVector>(TVector a, TVector b, TVector y)
            where TVector : struct, IVector<TVector>;
    }

    /// <summary>y = a + b.</summary>
    public static void Add<TVector>(float* a, float* b, float* y, nint count)
        where TVector : struct, IVector<TVector> => Run<TVector, Sum>(a, b, y, count);

    /// <summary>y += x.</summary>
    public static void AddTo<TVector>(float* x, float* y, nint count)
        where TVector : struct, IVector<TVector> => Run<TVector, Sum>(x, y, y, count);

    /// <summary>y = a b.</summary>
    public static void Multiply<TVector>(float* a, float* b, float* y, nint count)
        where TVector : struct, IVector<TVector> => Run<TVector, Product>(a, b, y, count);

    /// <summary>y += a b.</summary>
    public static void MultiplyAddTo<TVector>(float* a, float* b, float* y, nint count)
        where TVector : struct, IVector<TVector> => Run<TVector, ProductAndSum>(a, b, y, count);

    /// <summary>y = x factor + offset.</summary>
    public static void MultiplyAdd<TVector>(float* x, float factor, float offset, float* y, nint count)
        where TVector : struct, IVector<TVector>
    {
        TVector scale = TVector.Broadcast(factor), shift = TVector.Broadcast(offset);
        nint i = 0;
        for (; i + TVector.Lanes <= count; i += TVector.Lanes)
            TVector.Store(y + i, TVector.MultiplyAdd(TVector.Load(x + i), scale, shift));

        if (i < count)
            TVector.StorePartial(y + i, TVector.MultiplyAdd(TVector.LoadPartial(x + i, (int)(count - i)), scale, shift), (int)(count - i));
    }

    /// <summary>y = x, written past the caches where y is aligned to a vector: for what is read much later.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void CopyNonTemporal<TVector>(float* x, float* y, nint count)
        where TVector : struct, IVector<TVector>
    {
        int lanes = TVector.Lanes;
        nint i = 0;
        if ((nuint)y % (nuint)(lanes * sizeof(float)) == 0)
        {
            // Whole lines at a time: a line that is written in parts is read first.
            for (; i + (4 * lanes) <= count; i += 4 * lanes)
            {
                float* from = x + i, to = y + i;
                TVector a = TVector.Load(from), b = TVector.Load(from + lanes), c = TVector.Load(from + (2 * lanes)), d = TVector.Load(from + (3 * lanes));
                TVector.StoreNonTemporal(to, a);
                TVector.StoreNonTemporal(to + lanes, b);
                TVector.StoreNonTemporal(to + (2 * lanes), c);
                TVector.StoreNonTemporal(to + (3 * lanes), d);
            }
        }

        Buffer.MemoryCopy(x + i, y + i, (count - i) * sizeof(float), (count - i) * sizeof(float));
    }

    private static void Run<TVector, TBinary>(float* a, float* b, float* y, nint count)
        where TVector : struct, IVector<TVector>
        where TBinary : struct, IBinary
    {
        nint i = 0;
        for (; i + TVector.Lanes <= count; i += TVector.Lanes)
            TVector.Store(y + i, TBinary.Apply(TVector.Load(a + i), TVector.Load(b + i), TVector.Load(y + i)));

        if (i < count)
        {
            int rest = (int)(count - i);
            TVector result = TBinary.Apply(TVector.LoadPartial(a + i, rest), TVector.LoadPartial(b + i, rest), TVector.LoadPartial(y + i, rest));
            TVector.StorePartial(y + i, result, rest);
        }
    }

    private readonly struct Sum : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector a, TVector b, TVector y)
            where TVector : struct, IVector<TVector> => a + b;
    }

    private readonly struct Product : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector a, TVector b, TVector y)
            where TVector : struct, IVector<TVector> => a * b;
    }

    private readonly struct ProductAndSum : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector a, TVector b, TVector y)
            where TVector : struct, IVector<TVector> => TVector.MultiplyAdd(a, b, y);
    }
}
