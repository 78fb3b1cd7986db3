using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Support;

/// <summary>Proves that a kernel which writes what it should read, or leaves what it should write, shows.</summary>
public sealed unsafe class GuardedBuffersTests
{
    [Fact]
    public void Finish_ReadBufferChanged_Fails()
    {
        using var buffers = new GuardedBuffers(Guard.After);
        *buffers.Read(3) += 1;
        buffers.Invoking(b => b.Finish()).Should().Throw<Exception>().WithMessage("*buffer 0 is only for reading*");
    }

    [Fact]
    public void Finish_FloatUnwritten_Fails()
    {
        using var buffers = new GuardedBuffers(Guard.After);
        new Span<float>(buffers.Write(3), 2).Clear();
        buffers.Invoking(b => b.Finish()).Should().Throw<Exception>().WithMessage("*every value of buffer 0 is to be written*");
    }

    [Fact]
    public void Finish_ByteUnwritten_Fails()
    {
        using var buffers = new GuardedBuffers(Guard.After);
        new Span<byte>(buffers.WriteBytes(3), 2).Clear();
        buffers.Invoking(b => b.Finish()).Should().Throw<Exception>().WithMessage("*every byte of buffer 0 is to be written*");
    }

    [Theory]
    [InlineData(Guard.Before)]
    [InlineData(Guard.After)]
    public void Finish_EverythingInOrder_GivesTheResultsBytes(Guard guard)
    {
        using var buffers = new GuardedBuffers(guard);
        float* read = buffers.Read([1f, 2f]), written = buffers.Write(1), scratch = buffers.Scratch(1);
        *written = *scratch = read[0] + read[1];
        *buffers.WriteBytes(1) = 7;
        byte[] three = [0, 0, 0x40, 0x40], seven = [7];
        buffers.Finish().Should().BeEquivalentTo([three, seven], options => options.WithStrictOrdering());
    }
}
