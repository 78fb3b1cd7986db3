using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NativeConv.Simd;

/// <summary>512 bits: AVX-512. Without it every member still works, as two halves of 256 bits: slowly, but the tests of this width run.</summary>
internal unsafe struct V512 : IVector<V512>
{
    private Vector512<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V512(Vector512<float> value) => _value = value;

    public static int Lanes => 16;

    public static int Registers => 32;

    public static V512 Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, V512 value) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LoadPartial(float* source, int count)
    {
        if (Avx512F.IsSupported)
            return new(Avx512F.MaskLoad(source, FirstLanes(count), Vector512<float>.Zero));

        Vector512<float> value = default;
        new ReadOnlySpan<float>(source, count).CopyTo(new(&value, Lanes));
        return new(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(float* destination, V512 value, int count)
    {
        if (Avx512F.IsSupported)
            Avx512F.MaskStore(destination, FirstLanes(count), value._value);
        else
            new ReadOnlySpan<float>(&value, count).CopyTo(new(destination, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FirstLanes(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNonTemporal(float* destination, V512 value) => value._value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator +(V512 left, V512 right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator -(V512 left, V512 right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator *(V512 left, V512 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 operator /(V512 left, V512 right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 MultiplyAdd(V512 a, V512 b, V512 c) => new(Vector512.FusedMultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V512 sum, V512 a, V512 b) => sum._value = Vector512.FusedMultiplyAdd(a._value, b._value, sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(ref V512 sum, V512 a, float* b) => sum._value = Vector512.FusedMultiplyAdd(a._value, Vector512.Load(b), sum._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Sqrt(V512 value) => new(Vector512.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Abs(V512 value) => new(Vector512.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 CopySign(V512 magnitude, V512 sign) =>
        new(Vector512.ConditionalSelect(Vector512.Create(-0f), sign._value, magnitude._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LessThanOrEqual(V512 left, V512 right) => new(Vector512.LessThanOrEqual(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LessThan(V512 left, V512 right) => new(Vector512.LessThan(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 EqualTo(V512 left, V512 right) => new(Vector512.Equals(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Select(V512 mask, V512 whenSet, V512 whenClear) =>
        new(Vector512.ConditionalSelect(mask._value, whenSet._value, whenClear._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 SelectLessThanOrEqual(V512 left, V512 right, V512 whenSet, V512 whenClear) =>
        new(Vector512.ConditionalSelect(Vector512.LessThanOrEqual(left._value, right._value), whenSet._value, whenClear._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TakeGreater(ref V512 best, ref V512 winner, V512 value, V512 number)
    {
        Vector512<float> takes = Vector512.AndNot(Vector512.Equals(best._value, best._value), Vector512.LessThanOrEqual(value._value, best._value));
        if (Avx512F.IsSupported)
        {
            // Named, so that the mask stays in a register for masks.
            winner._value = Avx512F.BlendVariable(winner._value, number._value, takes);
            best._value = Avx512F.BlendVariable(best._value, value._value, takes);
            return;
        }

        winner._value = Vector512.ConditionalSelect(takes, number._value, winner._value);
        best._value = Vector512.ConditionalSelect(takes, value._value, best._value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 And(V512 left, V512 right) => new(left._value & right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Or(V512 left, V512 right) => new(left._value | right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Permute(V512 value, int* lanes) => new(Vector512.ShuffleNative(value._value, Vector512.Load(lanes)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Round(V512 value) => new(Vector512.Round(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 PowerOfTwo(V512 n) => new(((Vector512.ConvertToInt32Native(n._value) + Vector512.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Exponent(V512 value) => new(Vector512.ConvertToSingle((value._value.AsInt32() >> 23) - Vector512.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Significand(V512 value) =>
        new(((value._value.AsInt32() & Vector512.Create(0x007FFFFF)) | Vector512.Create(0x3F800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(byte* destination, V512 value, int count)
    {
        Vector512<int> lanes = Vector512.ConvertToInt32Native(value._value);
        Vector256<ushort> shorts = Vector256.Narrow(lanes.GetLower(), lanes.GetUpper()).AsUInt16();
        Vector128<byte> bytes = Avx512F.IsSupported ? Avx512F.ConvertToVector128Byte(lanes) : Vector128.Narrow(shorts.GetLower(), shorts.GetUpper());
        if (count >= Lanes)
            bytes.Store(destination);
        else
            new ReadOnlySpan<byte>(&bytes, count).CopyTo(new(destination, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LoadBytes(byte* source, int count)
    {
        Vector128<byte> bytes = default;
        if (count >= Lanes)
            bytes = Vector128.Load(source);
        else
            new ReadOnlySpan<byte>(source, count).CopyTo(new(&bytes, count));

        if (Avx512F.IsSupported)
            return new(Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(bytes)));

        (Vector128<ushort> lower, Vector128<ushort> upper) = Vector128.Widen(bytes);
        return new(Vector512.ConvertToSingle(Vector512.WidenLower(Vector256.Create(lower, upper).ToVector512Unsafe()).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 LoadNumbers(byte* source)
    {
        Vector128<byte> bytes = Vector128.Load(source);
        if (Avx512F.IsSupported)
            return new(Avx512F.ConvertToVector512Int32(bytes).AsSingle());

        (Vector128<ushort> lower, Vector128<ushort> upper) = Vector128.Widen(bytes);
        return new(Vector512.WidenLower(Vector256.Create(lower, upper).ToVector512Unsafe()).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512 Pick(float* four, V512 numbers)
    {
        Vector128<float> values = Vector128.Load(four);
        if (Avx512F.IsSupported)
            return new(Avx512F.PermuteVar4x32(Vector512.Create(values), numbers._value.AsInt32()));

        return new(Vector512.ShuffleNative(Vector512.Create(values), numbers._value.AsInt32() & Vector512.Create(3)));
    }
}
