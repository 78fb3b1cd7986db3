using System.Runtime.CompilerServices;

namespace NativeConv.Simd;

/// <summary>One lane: the scalar level, for machines without vectors and as a second opinion on every other level.</summary>
internal unsafe struct V1<TMultiplyAdd> : IVector<V1<TMultiplyAdd>>
    where TMultiplyAdd : struct, IMultiplyAdd
{
    private float _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V1(float value) => _value = value;

    public static int Lanes => 1;

    public static int Registers => 16;

    public static V1<TMultiplyAdd> Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, V1<TMultiplyAdd> value) => *destination = value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> LoadPartial(float* source, int count) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(float* destination, V1<TMultiplyAdd> value, int count) => *destination = value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNonTemporal(float* destination, V1<TMultiplyAdd> value) => *destination = value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> operator +(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> operator -(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> operator *(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> operator /(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> MultiplyAdd(V1<TMultiplyAdd> a, V1<TMultiplyAdd> b, V1<TMultiplyAdd> c) =>
        new(TMultiplyAdd.Compute(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V1<TMultiplyAdd> sum, V1<TMultiplyAdd> a, V1<TMultiplyAdd> b) => sum._value = TMultiplyAdd.Compute(a._value, b._value, sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V1<TMultiplyAdd> sum, V1<TMultiplyAdd> a, float* b) => sum._value = TMultiplyAdd.Compute(a._value, *b, sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Sqrt(V1<TMultiplyAdd> value) => new(MathF.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Abs(V1<TMultiplyAdd> value) => new(MathF.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> CopySign(V1<TMultiplyAdd> magnitude, V1<TMultiplyAdd> sign) =>
        new(MathF.CopySign(magnitude._value, sign._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> LessThanOrEqual(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => Mask(left._value <= right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> LessThan(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => Mask(left._value < right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> EqualTo(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => Mask(left._value == right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Select(V1<TMultiplyAdd> mask, V1<TMultiplyAdd> whenSet, V1<TMultiplyAdd> whenClear) =>
        Bits(mask) != 0 ? whenSet : whenClear;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> SelectLessThanOrEqual(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right, V1<TMultiplyAdd> whenSet, V1<TMultiplyAdd> whenClear) => Select(LessThanOrEqual(left, right), whenSet, whenClear);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeGreater(ref V1<TMultiplyAdd> best, ref V1<TMultiplyAdd> winner, V1<TMultiplyAdd> value, V1<TMultiplyAdd> number) => LargerOf.Take(ref best, ref winner, value, number);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> And(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => FromBits(Bits(left) & Bits(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Or(V1<TMultiplyAdd> left, V1<TMultiplyAdd> right) => FromBits(Bits(left) | Bits(right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Permute(V1<TMultiplyAdd> value, int* lanes) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Round(V1<TMultiplyAdd> value) => new(MathF.Round(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> PowerOfTwo(V1<TMultiplyAdd> n) => FromBits(((int)n._value + 127) << 23);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Exponent(V1<TMultiplyAdd> value) => new((Bits(value) >> 23) - 127);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Significand(V1<TMultiplyAdd> value) => FromBits((Bits(value) & 0x007FFFFF) | 0x3F800000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V1<TMultiplyAdd> Mask(bool set) => FromBits(set ? -1 : 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Bits(V1<TMultiplyAdd> value) => BitConverter.SingleToInt32Bits(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V1<TMultiplyAdd> FromBits(int bits) => new(BitConverter.Int32BitsToSingle(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* destination, V1<TMultiplyAdd> value, int count) => *destination = (byte)value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> LoadBytes(byte* source, int count) => new(*source);

    // Converted, not taken as bits: of a byte that is reinterpreted as a float the compiler makes a load of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> LoadNumbers(byte* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V1<TMultiplyAdd> Pick(float* four, V1<TMultiplyAdd> numbers) => new(four[(int)numbers._value & 3]);
}
