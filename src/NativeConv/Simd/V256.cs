using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>256 bits: AVX2 with FMA.</summary>
internal unsafe struct V256 : IVector<V256>
{
    private Vector256<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V256(Vector256<float> value) => _value = value;

    public static int Lanes => 8;

    public static int Registers => 16;

    public static V256 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, V256 value) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LoadPartial(float* source, int count) => new(Avx.MaskLoad(source, Mask(count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(float* destination, V256 value, int count)
    {
        if (count >= Lanes)
            Store(destination, value);
        else
            FirstLanes.Store(destination, value._value, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mask(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNonTemporal(float* destination, V256 value) => value._value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator +(V256 left, V256 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator -(V256 left, V256 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator *(V256 left, V256 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 operator /(V256 left, V256 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 MultiplyAdd(V256 a, V256 b, V256 c) => new(Fma.MultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V256 sum, V256 a, V256 b) => sum._value = Fma.MultiplyAdd(a._value, b._value, sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V256 sum, V256 a, float* b) => sum._value = Fma.MultiplyAdd(a._value, Vector256.Load(b), sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Sqrt(V256 value) => new(Vector256.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Abs(V256 value) => new(Vector256.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 CopySign(V256 magnitude, V256 sign) =>
        new(Vector256.ConditionalSelect(Vector256.Create(-0f), sign._value, magnitude._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LessThanOrEqual(V256 left, V256 right) => new(Vector256.LessThanOrEqual(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LessThan(V256 left, V256 right) => new(Vector256.LessThan(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 EqualTo(V256 left, V256 right) => new(Vector256.Equals(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Select(V256 mask, V256 whenSet, V256 whenClear) =>
        new(Avx.BlendVariable(whenClear._value, whenSet._value, mask._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 SelectLessThanOrEqual(V256 left, V256 right, V256 whenSet, V256 whenClear) => Select(LessThanOrEqual(left, right), whenSet, whenClear);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeGreater(ref V256 best, ref V256 winner, V256 value, V256 number) => LargerOf.Take(ref best, ref winner, value, number);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 And(V256 left, V256 right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Or(V256 left, V256 right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Permute(V256 value, int* lanes) => new(Avx2.PermuteVar8x32(value._value, Vector256.Load(lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Round(V256 value) => new(Vector256.Round(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 PowerOfTwo(V256 n) => new(((Vector256.ConvertToInt32Native(n._value) + Vector256.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Exponent(V256 value) => new(Vector256.ConvertToSingle((value._value.AsInt32() >> 23) - Vector256.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Significand(V256 value) =>
        new(((value._value.AsInt32() & Vector256.Create(0x007FFFFF)) | Vector256.Create(0x3F800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* destination, V256 value, int count)
    {
        Vector256<int> lanes = Vector256.ConvertToInt32Native(value._value);
        Vector128<short> shorts = Vector128.Narrow(lanes.GetLower(), lanes.GetUpper());
        ulong bytes = Vector128.Narrow(shorts.AsUInt16(), shorts.AsUInt16()).AsUInt64().ToScalar();
        if (count >= Lanes)
            Unsafe.WriteUnaligned(destination, bytes);
        else
            new ReadOnlySpan<byte>(&bytes, count).CopyTo(new(destination, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LoadBytes(byte* source, int count)
    {
        ulong bytes = 0;
        if (count >= Lanes)
            bytes = Unsafe.ReadUnaligned<ulong>(source);
        else
            new ReadOnlySpan<byte>(source, count).CopyTo(new(&bytes, count));

        return new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.CreateScalar(bytes).AsByte())));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 LoadNumbers(byte* source) => new(Avx2.ConvertToVector256Int32(source).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256 Pick(float* four, V256 numbers) => new(Avx.PermuteVar(Avx.BroadcastVector128ToVector256(four), numbers._value.AsInt32()));
}
