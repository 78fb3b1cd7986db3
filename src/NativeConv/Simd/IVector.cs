namespace NativeConv.Simd;

/// <summary>
/// What a kernel may do with a vector of float32. A kernel is written once, generic over this; the compiler makes one body for each
/// width. Lanes are independent outputs, so a kernel gives the same bits at every width as long as it keeps to these members,
/// all of which are exact or correctly rounded. Masks are vectors whose lanes are all ones or all zeros.
/// </summary>
internal unsafe interface IVector<TSelf>
    where TSelf : struct, IVector<TSelf>
{
    /// <summary>How many floats a vector holds.</summary>
    static abstract int Lanes { get; }

    /// <summary>How many vector registers the machine offers at this width: what a tile's accumulators are budgeted from.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    static abstract void Store(float* destination, TSelf value);

    /// <summary>Loads the first <paramref name="count"/> lanes, 1 to <see cref="Lanes"/>, zeros elsewhere; touches no memory beyond them.</summary>
    static abstract TSelf LoadPartial(float* source, int count);

    /// <summary>Stores the first <paramref name="count"/> lanes, 1 to <see cref="Lanes"/>; touches no memory beyond them.</summary>
    static abstract void StorePartial(float* destination, TSelf value, int count);

    /// <summary>Stores past the cache; the destination is aligned to the vector's size.</summary>
    static abstract void StoreNonTemporal(float* destination, TSelf value);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>a * b + c, rounded once where the level is fused.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>Adds a * b to a sum, as <see cref="MultiplyAdd"/> does.</summary>
    static abstract void Accumulate(ref TSelf sum, TSelf a, TSelf b);

    /// <summary>Adds a * b to a sum, with b as an operand in memory.</summary>
    static abstract void Accumulate(ref TSelf sum, TSelf a, float* b);

    static abstract TSelf Sqrt(TSelf value);

    static abstract TSelf Abs(TSelf value);

    /// <summary>The magnitude of one vector with the sign bits of another.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>Mask of left &lt;= right; false where either is NaN.</summary>
    static abstract TSelf LessThanOrEqual(TSelf left, TSelf right);

    /// <summary>Mask of left &lt; right; false where either is NaN.</summary>
    static abstract TSelf LessThan(TSelf left, TSelf right);

    /// <summary>Mask of left == right; false where either is NaN.</summary>
    static abstract TSelf EqualTo(TSelf left, TSelf right);

    /// <summary>Lanes of <paramref name="whenSet"/> where the mask is set, of <paramref name="whenClear"/> elsewhere; a mask's lanes are all ones or all zeros.</summary>
    static abstract TSelf Select(TSelf mask, TSelf whenSet, TSelf whenClear);

    /// <summary>
    /// Lanes of <paramref name="whenSet"/> where left &lt;= right, of <paramref name="whenClear"/> elsewhere and where either is NaN. Comparison and selection in one: a vector type whose masks have registers of
    /// their own need not make a vector of one.
    /// </summary>
    static abstract TSelf SelectLessThanOrEqual(TSelf left, TSelf right, TSelf whenSet, TSelf whenClear);

    /// <summary>A greater value takes the place of the best, as does the first NaN, and its number that of the winner; in one, likewise.</summary>
    static abstract void TakeGreater(ref TSelf best, ref TSelf winner, TSelf value, TSelf number);

    static abstract TSelf And(TSelf left, TSelf right);

    static abstract TSelf Or(TSelf left, TSelf right);

    /// <summary>Lane i of the result is the lane of <paramref name="value"/> that <paramref name="lanes"/>[i] names, from 0 on.</summary>
    static abstract TSelf Permute(TSelf value, int* lanes);

    /// <summary>Nearest integer, ties to even, for magnitudes below 2^22.</summary>
    static abstract TSelf Round(TSelf value);

    /// <summary>2^n for integral n from -126 to 127, exactly.</summary>
    static abstract TSelf PowerOfTwo(TSelf n);

    /// <summary>The unbiased exponent of a positive normal number, as a float.</summary>
    static abstract TSelf Exponent(TSelf value);

    /// <summary>The significand of a positive normal number, in [1, 2).</summary>
    static abstract TSelf Significand(TSelf value);

    /// <summary>Stores the first <paramref name="count"/> lanes, whole numbers from 0 to 255, as bytes; touches no memory beyond them.</summary>
    static abstract void StoreBytes(byte* destination, TSelf value, int count);

    /// <summary>Loads <paramref name="count"/> bytes as numbers, zeros beyond; touches no memory beyond them.</summary>
    static abstract TSelf LoadBytes(byte* source, int count);

    /// <summary>Loads a byte a lane, in the form that <see cref="Pick"/> takes.</summary>
    static abstract TSelf LoadNumbers(byte* source);

    /// <summary>Lane i of the result is the one of four values that the lowest two bits of byte i of <paramref name="numbers"/> name.</summary>
    static abstract TSelf Pick(float* four, TSelf numbers);
}
