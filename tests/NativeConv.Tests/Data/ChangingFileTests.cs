using FluentAssertions;
using NativeConv.Data;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

/// <summary>Files that become shorter, longer or others while they are read.</summary>
public sealed class ChangingFileTests : IDisposable
{
    private static readonly byte[] File1 = MnistFiles.Idx([50, 28, 28], i => (byte)(i * 7)), File2 = MnistFiles.Idx([40, 28, 28], i => (byte)(i * 5));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>At every reading the file is cut to where it was read, or a little before or behind.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_FileCutWhileItIsRead_IsRefused(bool compressed)
    {
        byte[] file = compressed ? MnistFiles.Gzip(File1) : File1;
        int refused = 0;
        for (int cutAt = 1; cutAt < 12; cutAt++)
        {
            for (int left = 0; left < file.Length; left += 1 + (file.Length / 40))
            {
                var stream = new ChangingStream(file, cutAt, () => file[..left]);
                try
                {
                    IdxFile.Read(stream, "the stream", 3, "images").Values.AsSpan().SequenceEqual(File1.AsSpan(16)).Should().BeTrue("it was cut behind what was read");
                }
                catch (InvalidDataException e)
                {
                    e.Message.Should().StartWith("the stream");
                    refused++;
                }
            }
        }

        refused.Should().BeGreaterThan(50);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_FileThatGrowsWhileItIsRead_IsRefusedOrWhatItWas(bool compressed)
    {
        byte[] file = compressed ? MnistFiles.Gzip(File1) : File1;
        int grown = 0;
        for (int at = 1; at < 12; at++)
        {
            foreach (int more in (int[])[1, 100, 100_000])
            {
                var stream = new ChangingStream(file, at, () => [.. file, .. new byte[more]]);
                Action read = () => IdxFile.Read(stream, "the stream", 3, "images");
                try
                {
                    read();
                }
                catch (InvalidDataException e)
                {
                    e.Message.Should().StartWith("the stream, byte ");
                    grown++;
                }
            }
        }

        grown.Should().BePositive();
    }

    /// <summary>A writer changes a real file as fast as it can; a reader gets one of the two contents, a mixture of values, or one of two errors.</summary>
    [Fact]
    public async Task Read_RealFileThatIsRewrittenAllTheTime_IsAnErrorOrValues()
    {
        string path = _folder.File("images");
        await WhileRewriting(path, File1, File2, seed: 1, readings: 2000, () =>
        {
            try
            {
                using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                (int[] shape, byte[] values) = IdxFile.Read(file, path, 3, "images");
                values.Length.Should().Be(shape[0] * 784);
            }
            catch (InvalidDataException e)
            {
                e.Message.Should().StartWith(path);
            }
        });
    }

    [Fact]
    public async Task Load_ModelFileThatIsRewrittenAllTheTime_IsAnErrorOrAModel()
    {
        string path = _folder.File("model");
        byte[] one = new ModelBuilder(4, 4, 1).Flatten().Dense(3).Build(1).SaveToBytes(), two = new ModelBuilder(8, 8, 1).Conv2D(20, 3).Flatten().Dense(10).Build(2).SaveToBytes();
        await WhileRewriting(path, one, two, seed: 2, readings: 1000, () =>
        {
            try
            {
                Model.Load(path).Nodes.Should().NotBeEmpty();
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
            }
        });
    }

    /// <summary>Reads so many times while another thread writes one of two contents over and over, cutting the file in between.</summary>
    private static async Task WhileRewriting(string path, byte[] one, byte[] two, int seed, int readings, Action read)
    {
        File.WriteAllBytes(path, one);
        using var done = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            var random = new System.Random(seed);
            while (!done.IsCancellationRequested)
            {
                using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                byte[] contents = random.Next(2) == 0 ? one : two;
                file.SetLength(random.Next(contents.Length));
                file.Write(contents);
                file.SetLength(contents.Length);
            }
        });
        for (int i = 0; i < readings; i++)
            read();

        await done.CancelAsync();
        await writer;
    }

    /// <summary>A stream whose contents become others at one of its readings.</summary>
    private sealed class ChangingStream(byte[] before, int reading, Func<byte[]> after) : Stream
    {
        private byte[] _bytes = before;
        private int _left = reading;
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => _bytes.Length;

        public override long Position
        {
            get => _position;
            set
            {
                ArgumentOutOfRangeException.ThrowIfNegative(value);
                _position = value;
            }
        }

        public override int Read(Span<byte> buffer)
        {
            if (--_left == 0)
                _bytes = after();

            // In small pieces, so that there are readings to change it at.
            int count = (int)Math.Max(0, Math.Min(Math.Min(buffer.Length, 5000), _bytes.Length - _position));
            _bytes.AsSpan((int)Math.Min(_position, _bytes.Length), count).CopyTo(buffer);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
