using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

    /// <summary>Where this thread's next blocks come from instead: zeros that never move and outlive the block, aligned or not. For tests, which put them between guard pages.</summary>
    [ThreadStatic]
    private static Func<int, MemoryManager<float>>? _source;

    public AlignedMemory(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MostFloats);
        Length = (int)length;
        if (_source != null)
        {
            Memory = _source(Length).Memory;
            Pointer = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Memory.Span));
            return;
        }

        float[] array = GC.AllocateArray<float>(Length + AlignmentFloats, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref array[0]);
        Memory = array.AsMemory((int)((-address & (Alignment - 1)) / sizeof(float)), Length);
        Pointer = Align((float*)address);
    }

    public int Length { get; }

    /// <summary>The first float, for as long as this object lives.</summary>
    public float* Pointer { get; }

    public Memory<float> Memory { get; }

    public Span<float> Span => Memory.Span;

    /// <summary>Whether this thread's blocks come from somewhere else, so that none may be kept for later.</summary>
    public static bool IsFromElsewhere => _source != null;

    /// <summary>Takes this thread's blocks from somewhere else, or from the garbage collector again where null.</summary>
    public static void TakeFrom(Func<int, MemoryManager<float>>? source) => _source = source;

    /// <summary>The first address on the boundary, from one on that has <see cref="AlignmentFloats"/> to spare.</summary>
    public static float* Align(float* address) => (float*)(((nint)address + (Alignment - 1)) & -Alignment);

    /// <summary>Rounds a length up so that what follows starts on the boundary too.</summary>
    public static long RoundUp(long length) => (length + AlignmentFloats - 1) / AlignmentFloats * AlignmentFloats;
}
