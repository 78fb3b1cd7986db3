using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>128 bits: SSE, NEON or WebAssembly; how it multiplies and adds depends on the hardware.</summary>
internal unsafe struct V128<TMultiplyAdd> : IVector<V128<TMultiplyAdd>>
    where TMultiplyAdd : struct, IMultiplyAdd
{
    private Vector128<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V128(Vector128<float> value) => _value = value;

    public static int Lanes => 4;

    public static int Registers => AdvSimd.IsSupported || Avx512F.VL.IsSupported ? 32 : 16;

    public static V128<TMultiplyAdd> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, V128<TMultiplyAdd> value) => value._value.Store(destination);

    public static V128<TMultiplyAdd> LoadPartial(float* source, int count)
    {
        if (Avx.IsSupported)
            return new(Avx.MaskLoad(source, Mask(count)));
        return count switch
        {
            1 => new(Vector128.CreateScalar(source[0])),
            2 => new(Vector128.Create(source[0], source[1], 0, 0)),
            3 => new(Vector128.Create(source[0], source[1], source[2], 0)),
            _ => Load(source),
        };
    }

    public static void StorePartial(float* destination, V128<TMultiplyAdd> value, int count)
    {
        if (count >= Lanes)
            Store(destination, value);
        else
            FirstLanes.Store(destination, value._value, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Mask(int count) =>
        Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNonTemporal(float* destination, V128<TMultiplyAdd> value) => value._value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> operator +(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> operator -(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> operator *(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> operator /(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> MultiplyAdd(V128<TMultiplyAdd> a, V128<TMultiplyAdd> b, V128<TMultiplyAdd> c) => new(TMultiplyAdd.Compute(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V128<TMultiplyAdd> sum, V128<TMultiplyAdd> a, V128<TMultiplyAdd> b) => sum._value = TMultiplyAdd.Compute(a._value, b._value, sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V128<TMultiplyAdd> sum, V128<TMultiplyAdd> a, float* b) => sum._value = TMultiplyAdd.Compute(a._value, Vector128.Load(b), sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Sqrt(V128<TMultiplyAdd> value) => new(Vector128.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Abs(V128<TMultiplyAdd> value) => new(Vector128.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> CopySign(V128<TMultiplyAdd> magnitude, V128<TMultiplyAdd> sign) =>
        new(Vector128.ConditionalSelect(Vector128.Create(-0f), sign._value, magnitude._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> LessThanOrEqual(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(Vector128.LessThanOrEqual(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> LessThan(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(Vector128.LessThan(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> EqualTo(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(Vector128.Equals(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Select(V128<TMultiplyAdd> mask, V128<TMultiplyAdd> whenSet, V128<TMultiplyAdd> whenClear) =>
        new(Sse41.IsSupported
            ? Sse41.BlendVariable(whenClear._value, whenSet._value, mask._value)
            : Vector128.ConditionalSelect(mask._value, whenSet._value, whenClear._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> SelectLessThanOrEqual(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right, V128<TMultiplyAdd> whenSet, V128<TMultiplyAdd> whenClear) => Select(LessThanOrEqual(left, right), whenSet, whenClear);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeGreater(ref V128<TMultiplyAdd> best, ref V128<TMultiplyAdd> winner, V128<TMultiplyAdd> value, V128<TMultiplyAdd> number) => LargerOf.Take(ref best, ref winner, value, number);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> And(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Or(V128<TMultiplyAdd> left, V128<TMultiplyAdd> right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Permute(V128<TMultiplyAdd> value, int* lanes) => new(Vector128.ShuffleNative(value._value, Vector128.Load(lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Round(V128<TMultiplyAdd> value) => new(Vector128.Round(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> PowerOfTwo(V128<TMultiplyAdd> n) => new(((Vector128.ConvertToInt32Native(n._value) + Vector128.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Exponent(V128<TMultiplyAdd> value) => new(Vector128.ConvertToSingle((value._value.AsInt32() >> 23) - Vector128.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Significand(V128<TMultiplyAdd> value) =>
        new(((value._value.AsInt32() & Vector128.Create(0x007FFFFF)) | Vector128.Create(0x3F800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* destination, V128<TMultiplyAdd> value, int count)
    {
        Vector128<int> lanes = Vector128.ConvertToInt32Native(value._value);
        Vector128<ushort> shorts = Vector128.Narrow(lanes, lanes).AsUInt16();
        uint bytes = Vector128.Narrow(shorts, shorts).AsUInt32().ToScalar();
        if (count >= Lanes)
            Unsafe.WriteUnaligned(destination, bytes);
        else
            new ReadOnlySpan<byte>(&bytes, count).CopyTo(new(destination, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> LoadBytes(byte* source, int count)
    {
        uint bytes = 0;
        if (count >= Lanes)
            bytes = Unsafe.ReadUnaligned<uint>(source);
        else
            new ReadOnlySpan<byte>(source, count).CopyTo(new(&bytes, count));

        return new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte())).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> LoadNumbers(byte* source) =>
        new(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(source)).AsByte())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<TMultiplyAdd> Pick(float* four, V128<TMultiplyAdd> numbers) =>
        new(Vector128.ShuffleNative(Vector128.Load(four), numbers._value.AsInt32() & Vector128.Create(3)));
}
