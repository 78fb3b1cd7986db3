using System.Runtime.CompilerServices;

namespace NativeConv.Tensors;

/// <summary>
/// A zeroed block of floats that starts on a 64-byte boundary and never moves, so that kernels may hold its address for as long as
/// they hold the object. The garbage collector frees it: there is nothing to dispose.
/// </summary>
internal sealed unsafe class AlignedMemory
{
    public const int Alignment = 64;
    public const int AlignmentFloats = Alignment / sizeof(float);

    /// <summary>The most floats of a block.</summary>
    public static readonly int MostFloats = Array.MaxLength - AlignmentFloats;

    private readonly float[] _array;
    private readonly int _offset;

    public AlignedMemory(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MostFloats);
        Length = (int)length;
        _array = GC.AllocateArray<float>(Length + AlignmentFloats, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref _array[0]);
        _offset = (int)((-address & (Alignment - 1)) / sizeof(float));
    }

    public int Length { get; }

    public float* Pointer => (float*)Unsafe.AsPointer(ref _array[_offset]);

    public Memory<float> Memory => _array.AsMemory(_offset, Length);

    public Span<float> Span => _array.AsSpan(_offset, Length);

    /// <summary>Rounds a length up so that what follows starts on the boundary too.</summary>
    public static long RoundUp(long length) => (length + AlignmentFloats - 1) / AlignmentFloats * AlignmentFloats;
}
