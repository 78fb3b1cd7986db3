using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using PureHDF;

namespace NativeConv.Keras;

/// <summary>
/// A file in memory, for a reader that trusts what it reads: reading beyond the end, reading the same bytes over and over, recursion without end, and lengths and addresses
/// beyond the file all stop with an exception, the latter before memory of that length is set aside.
/// </summary>
internal sealed class BoundedStream : Stream, IDatasetStream
{
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'H', (byte)'D', (byte)'F', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n'];

    private const ulong LargestSetting = 1 << 20;

    private readonly byte[] _file;
    private long _position, _budget;

    /// <summary>What was read last, where that was one byte.</summary>
    private int _length;

    /// <param name="file">The file.</param>
    /// <param name="readings">How many times its length may be read in all.</param>
    public BoundedStream(byte[] file, int readings)
    {
        _file = file;
        _budget = (1 << 20) + ((long)readings * file.Length);
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _file.Length;

    public override long Position
    {
        get => _position;
        set => (_position, _length) = (value >= 0 ? value : throw new InvalidDataException($"an address, {value}, is negative"), 0);
    }

    /// <summary>How many bytes of data sets' contents were read.</summary>
    public long ContentsRead { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        // A chain of structures that refer to each other recurses in the reader, which reads at every step.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        bool isName = buffer.Length == sizeof(ulong) && _length == sizeof(ulong);
        Copy(buffer);
        _length = buffer.Length == 1 ? buffer[0] : 0;

        // In HDF5's structures 64 bits are a length, a number of things, an address, or all ones for none; some are settings, as the largest size of a block. A name of eight
        // letters follows its length in one byte.
        if (buffer.Length == sizeof(ulong) && BinaryPrimitives.ReadUInt64LittleEndian(buffer) is var number && number > (ulong)_file.Length + LargestSetting && number != ulong.MaxValue
            && !isName && !buffer.SequenceEqual(Signature))
        {
            throw new InvalidDataException($"at byte {_position - sizeof(ulong)} there is a length or an address of {number}, but the file has {_file.Length} bytes");
        }

        return buffer.Length;
    }

    public void ReadDataset(Span<byte> buffer)
    {
        Copy(buffer);
        ContentsRead += buffer.Length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => _position,
        _ => _file.Length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Copy(Span<byte> buffer)
    {
        if (buffer.Length > _file.Length - _position)
            throw new InvalidDataException($"{buffer.Length} bytes are to be read at byte {_position}, but the file has {_file.Length}");

        _budget -= buffer.Length + 1;
        if (_budget < 0)
            throw new InvalidDataException("its parts refer to each other without end");

        _file.AsSpan((int)_position, buffer.Length).CopyTo(buffer);
        _position += buffer.Length;
    }
}
