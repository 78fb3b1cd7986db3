using System.Runtime.InteropServices;
using FluentAssertions;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace NativeConv.Tests.Support;

/// <summary>
/// Proves that the guards guard. The kernel copies to and from user memory under the same page permissions as a load or store, but
/// reports EFAULT where those would kill the process: pwrite reads the memory, pread writes it.
/// </summary>
public sealed unsafe partial class GuardedMemoryTests
{
    private const int EFault = 14;

    public static TheoryData<int> Lengths => [1, 3, 16, 1023, 1024, 1025, 4096];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void After_OneFloatBeyondTheEnd_CanBeNeitherReadNorWritten(int length)
    {
        using var memory = new GuardedMemory(length, Guard.After);
        ShouldBeAccessible(memory.Pointer + length - 1);
        ShouldBeGuarded(memory.Pointer + length);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Before_OneFloatBeforeTheStart_CanBeNeitherReadNorWritten(int length)
    {
        using var memory = new GuardedMemory(length, Guard.Before);
        ShouldBeAccessible(memory.Pointer);
        ShouldBeGuarded(memory.Pointer - 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4097)]
    public void Bytes_OneBeyondEitherSide_CanBeNeitherReadNorWritten(int length)
    {
        using GuardedBytes before = new(length, Guard.Before), after = new(length, Guard.After);
        Touch(before.Address, 1).Should().Be((1, 1));
        Touch(after.Address + length - 1, 1).Should().Be((1, 1));
        ShouldBeGuarded(before.Address - 1, 1);
        ShouldBeGuarded(after.Address + length, 1);
    }

    [Fact]
    public void Bytes_None_CanBeNeitherReadNorWritten()
    {
        using GuardedBytes before = new(0, Guard.Before), after = new(0, Guard.After);
        ShouldBeGuarded(before.Address - 1, 1);
        ShouldBeGuarded(after.Address, 1);
    }

    [Fact]
    public void Constructor_Values_HoldsACopy()
    {
        using var memory = new GuardedMemory([1, 2, 3], Guard.After);
        memory.Span.ToArray().Should().Equal(1, 2, 3);
    }

    [Fact]
    public void Constructor_Length_HoldsNaN()
    {
        using var memory = new GuardedMemory(5, Guard.Before);
        memory.Span.ToArray().Should().OnlyContain(value => float.IsNaN(value));
    }

    private static void ShouldBeAccessible(float* address) =>
        Touch(address, sizeof(float)).Should().Be((sizeof(float), sizeof(float)));

    private static void ShouldBeGuarded(void* address, nuint length = sizeof(float))
    {
        if (GuardedBytes.IsSupported)
            Touch(address, length).Should().Be((-EFault, -EFault));
    }

    /// <summary>The bytes that could be read and written at an address, or the negated error.</summary>
    private static (int Read, int Written) Touch(void* address, nuint length)
    {
        if (!GuardedBytes.IsSupported)
            return ((int)length, (int)length);

        using SafeFileHandle file = File.OpenHandle(
            Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose);
        RandomAccess.Write(file, new byte[length], 0);
        int read = Result(Write(file, address, length, 0));
        int written = Result(Read(file, address, length, 0));
        return (read, written);
    }

    private static int Result(nint transferred) => transferred < 0 ? -Marshal.GetLastPInvokeError() : (int)transferred;

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, void* source, nuint length, nint offset);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, void* destination, nuint length, nint offset);
}
