using System.Runtime.InteropServices;

namespace NativeConv.Tests.Support;

/// <summary>Which end of a <see cref="GuardedMemory"/> touches a page that may not be touched.</summary>
public enum Guard
{
    /// <summary>The first float starts right after the page.</summary>
    Before,

    /// <summary>The last float ends right before the page.</summary>
    After,
}

/// <summary>
/// Bytes between two inaccessible pages, flush with one of them, so that a kernel that reads or writes one element too far crashes the
/// process instead of passing by luck. With <see cref="Guard.After"/> the start is aligned to the element only, as a caller's span may be.
/// Guards need Linux; elsewhere it is plain memory. Hold it with <c>using</c> for as long as its address is in use.
/// </summary>
public unsafe partial class GuardedBytes : IDisposable
{
    private void* _region;
    private readonly nuint _regionLength;

    public GuardedBytes(int length, Guard guard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nuint page = (nuint)Environment.SystemPageSize, bytes = (nuint)length;
        nuint middle = Math.Max(1, (bytes + page - 1) / page) * page;
        _regionLength = middle + (2 * page);
        if (IsSupported)
        {
            _region = Map(null, _regionLength, ReadWrite, PrivateAnonymous, -1, 0);
            if ((nint)_region == -1)
                throw new OutOfMemoryException($"Mapping {_regionLength} bytes failed with error {Marshal.GetLastPInvokeError()}.");
            Deny(_region, page);
            Deny((byte*)_region + page + middle, page);
        }
        else
        {
            _region = NativeMemory.AlignedAlloc(_regionLength, page);
        }

        Address = (byte*)_region + page + (guard == Guard.Before ? 0 : middle - bytes);
        Bytes = length;
    }

    /// <summary>Whether guards exist here.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    public int Bytes { get; }

    public byte* Address { get; }

    public void Dispose()
    {
        if (_region is null)
            return;
        if (IsSupported)
            _ = Unmap(_region, _regionLength);
        else
            NativeMemory.AlignedFree(_region);
        _region = null;
        GC.SuppressFinalize(this);
    }

    private static void Deny(void* address, nuint length)
    {
        if (Protect(address, length, 0) != 0)
            throw new InvalidOperationException($"Protecting a page failed with error {Marshal.GetLastPInvokeError()}.");
    }

    private const int ReadWrite = 1 | 2, PrivateAnonymous = 2 | 0x20;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}

/// <summary>Floats between two inaccessible pages.</summary>
public sealed unsafe class GuardedMemory : GuardedBytes
{
    /// <summary>A buffer of NaN, so that a kernel that reads what it should have written shows.</summary>
    public GuardedMemory(int length, Guard guard)
        : base(checked(length * sizeof(float)), guard) => Span.Fill(float.NaN);

    /// <summary>A buffer that holds a copy.</summary>
    public GuardedMemory(ReadOnlySpan<float> values, Guard guard)
        : this(values.Length, guard) => values.CopyTo(Span);

    public float* Pointer => (float*)Address;

    public int Length => Bytes / sizeof(float);

    public Span<float> Span => new(Pointer, Length);
}
