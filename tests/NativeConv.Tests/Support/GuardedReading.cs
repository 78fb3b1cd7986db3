using FluentAssertions;

namespace NativeConv.Tests.Support;

/// <summary>Gives a reader a file between guards.</summary>
internal static class GuardedReading
{
    /// <summary>Whether a reader takes a file. It must say the same of it in an array and, with guards on either side, where a look beyond it ends the process.</summary>
    public static bool Accepts(byte[] content, Action<ReadOnlyMemory<byte>> read)
    {
        string? expected = Error(content, read);
        foreach (Guard guard in Enum.GetValues<Guard>())
        {
            using var file = new GuardedBlock<byte>(content, guard);
            Error(file.Memory, read).Should().Be(expected);
        }

        return expected == null;
    }

    private static string? Error(ReadOnlyMemory<byte> file, Action<ReadOnlyMemory<byte>> read)
    {
        try
        {
            read(file);
            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }
}
