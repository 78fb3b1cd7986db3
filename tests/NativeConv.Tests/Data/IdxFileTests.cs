using FluentAssertions;
using NativeConv.Data;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_GoodFile_GivesShapeAndValues(bool compressed)
    {
        (int[] shape, byte[] values) = Read(MnistFiles.Idx([3, 2, 5], i => (byte)i), 3, compressed);
        shape.Should().Equal(3, 2, 5);
        values.Should().Equal(Enumerable.Range(0, 30).Select(i => (byte)i));
    }

    [Theory]
    [InlineData(0, 7, "byte 0: an IDX file starts with bytes 0 0, but this one with 7 0")]
    [InlineData(2, 13, "byte 2: values must be of type 8 (unsigned byte), but the type is 13")]
    [InlineData(3, 1, "byte 3: things must have 3 dimensions, but the file has 1; images have 3 and labels 1, so they may be swapped")]
    [InlineData(7, 0, "byte 4: dimension 0 is 0")]
    [InlineData(4, 0xFF, "byte 4: dimension 0 is 4278190083")]
    public void Read_WrongHeader_NamesFileOffsetAndRule(int offset, byte value, string message)
    {
        byte[] file = MnistFiles.Idx([3, 2, 5], i => (byte)i);
        file[offset] = value;
        Refuses(file, 3, compressed: false, message);
        Refuses(file, 3, compressed: true, message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_EveryTruncation_IsRefused(bool compressed)
    {
        byte[] file = MnistFiles.Idx([3, 2, 5], i => (byte)i);
        for (int length = 0; length < file.Length; length++)
            Refuses(file[..length], 3, compressed, "byte ");
    }

    [Fact]
    public void Read_EveryTruncationOfTheGzipStream_IsRefused()
    {
        byte[] file = MnistFiles.Gzip(MnistFiles.Idx([3, 20, 50], i => (byte)(i * i)));
        for (int length = 2; length < file.Length; length++)
        {
            File.WriteAllBytes(_folder.File("cut"), file[..length]);
            Action read = () => IdxFile.Read(_folder.File("cut"), 3, "things");
            read.Should().Throw<InvalidDataException>().WithMessage("*cut*");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_TrailingByte_IsRefused(bool compressed) =>
        Refuses([.. MnistFiles.Idx([3, 2, 5], i => (byte)i), 1], 3, compressed, "byte 46: ");

    [Fact]
    public void Read_HugeShapeInASmallGzip_AllocatesLittle()
    {
        byte[] file = MnistFiles.Idx([2, 2, 2], i => (byte)i);
        file[4] = 0x20;
        File.WriteAllBytes(_folder.File("huge"), MnistFiles.Gzip(file));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action read = () => IdxFile.Read(_folder.File("huge"), 3, "things");
        read.Should().Throw<InvalidDataException>();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(8 << 20);
    }

    [Fact]
    public void Read_SeededCorruptions_ThrowOnlyInvalidData()
    {
        var random = new System.Random(5);
        byte[][] originals = [MnistFiles.Idx([3, 2, 5], i => (byte)i), MnistFiles.Gzip(MnistFiles.Idx([3, 2, 5], i => (byte)i))];
        for (int i = 0; i < 5000; i++)
        {
            byte[] file = [.. originals[i % 2]];
            for (int edits = random.Next(1, 4); edits > 0; edits--)
                file[random.Next(file.Length)] = (byte)random.Next(256);

            File.WriteAllBytes(_folder.File("bad"), file);
            try
            {
                IdxFile.Read(_folder.File("bad"), 3, "things").Values.Length.Should().BeGreaterThan(0);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    private (int[] Shape, byte[] Values) Read(byte[] file, int dimensions, bool compressed)
    {
        string path = _folder.File("file");
        File.WriteAllBytes(path, compressed ? MnistFiles.Gzip(file) : file);
        return IdxFile.Read(path, dimensions, "things");
    }

    private void Refuses(byte[] file, int dimensions, bool compressed, string message)
    {
        Action read = () => Read(file, dimensions, compressed);
        read.Should().Throw<InvalidDataException>().WithMessage($"{_folder.File("file")}, {message}*");
    }
}
