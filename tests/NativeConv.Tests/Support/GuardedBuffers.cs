using System.Runtime.InteropServices;
using FluentAssertions;

namespace NativeConv.Tests.Support;

/// <summary>
/// The buffers of one run of a kernel, each between guards of its own and flush with the same side. A kernel must leave what it reads as it was
/// and fill what it writes; every buffer's values are drawn from the number of buffers before it.
/// </summary>
internal sealed unsafe class GuardedBuffers(Guard guard) : IDisposable
{
    private readonly List<GuardedBytes> _all = [];
    private readonly List<(GuardedBytes Buffer, byte[] Before)> _read = [];
    private readonly List<GuardedMemory> _written = [];
    private readonly List<GuardedBytes> _bytes = [];

    /// <summary>Values that the kernel may not change.</summary>
    public float* Read(int length, float low = -1, float high = 1) => Read(Draw(length, low, high));

    /// <inheritdoc cref="Read(int, float, float)"/>
    public T* Read<T>(T[] values)
        where T : unmanaged
    {
        byte[] bytes = MemoryMarshal.AsBytes<T>(values).ToArray();
        GuardedBytes buffer = Add(new GuardedBytes(bytes.Length, guard));
        bytes.CopyTo(Content(buffer));
        _read.Add((buffer, bytes));
        return (T*)buffer.Address;
    }

    /// <summary>NaN that the kernel must overwrite.</summary>
    public float* Write(int length)
    {
        GuardedMemory buffer = Add(new GuardedMemory(length, guard));
        _written.Add(buffer);
        return buffer.Pointer;
    }

    /// <summary>Bytes of 255 that the kernel must overwrite with others.</summary>
    public byte* WriteBytes(int length)
    {
        GuardedBytes buffer = Add(new GuardedBytes(length, guard));
        Content(buffer).Fill(byte.MaxValue);
        _bytes.Add(buffer);
        return buffer.Address;
    }

    /// <summary>Values that the kernel changes.</summary>
    public float* Update(int length, float low = -1, float high = 1)
    {
        GuardedMemory buffer = Add(new GuardedMemory(Draw(length, low, high), guard));
        _written.Add(buffer);
        return buffer.Pointer;
    }

    /// <summary>NaN to work in; what remains there does not matter. Of length 0, no byte of it can be touched.</summary>
    public float* Scratch(int length) => Add(new GuardedMemory(length, guard)).Pointer;

    /// <summary>Checks what was to be left alone and what was to be filled, and gives the results' bytes.</summary>
    public byte[][] Finish()
    {
        foreach ((GuardedBytes buffer, byte[] before) in _read)
            Content(buffer).SequenceEqual(before).Should().BeTrue("buffer {0} is only for reading", _all.IndexOf(buffer));

        foreach (GuardedMemory buffer in _written)
            HasNaN(buffer.Span).Should().BeFalse("every value of buffer {0} is to be written", _all.IndexOf(buffer));

        foreach (GuardedBytes buffer in _bytes)
            Content(buffer).Contains(byte.MaxValue).Should().BeFalse("every byte of buffer {0} is to be written", _all.IndexOf(buffer));

        return [.. _written.Concat(_bytes).Select(buffer => Content(buffer).ToArray())];
    }

    public void Dispose()
    {
        foreach (GuardedBytes buffer in _all)
            buffer.Dispose();
    }

    private static Span<byte> Content(GuardedBytes buffer) => new(buffer.Address, buffer.Bytes);

    private static bool HasNaN(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (float.IsNaN(value))
                return true;
        }

        return false;
    }

    private float[] Draw(int length, float low, float high) => TestData.Uniform(length, (ulong)_all.Count + 1, low, high);

    private TBuffer Add<TBuffer>(TBuffer buffer)
        where TBuffer : GuardedBytes
    {
        _all.Add(buffer);
        return buffer;
    }
}
