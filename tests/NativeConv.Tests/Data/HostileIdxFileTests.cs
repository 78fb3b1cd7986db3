using System.Buffers.Binary;
using FluentAssertions;
using NativeConv.Data;
using NativeConv.Hostile;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Data;

/// <summary>Broken and harmful IDX and gzip files.</summary>
public sealed class HostileIdxFileTests
{
    // What a decompressor costs, and the pieces that unpacked values grow by.
    private const long BytesPerFile = 1 << 16, GzipBytesPerFile = (2 << 20) + (1 << 18);

    private static readonly byte[][] Files =
    [
        MnistFiles.Idx([3, 2, 5], i => (byte)i), MnistFiles.Idx([7, 28, 28], i => (byte)(i * i / 7)), MnistFiles.Idx([40], i => (byte)(i % 10)), MnistFiles.Idx([1, 1, 1], _ => 9),
    ];

    [Fact]
    public void Read_BrokenFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        int accepted = HostileFiles.Read(new FileMutations(Files, seed: 1).Next, count, Read, bytesPerByte: 4, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 3 / 4, "some changes hit values and some rules");
    }

    [Fact]
    public void Read_BrokenGzipFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        int accepted = HostileFiles.Read(new FileMutations([.. Files.Select(MnistFiles.Gzip)], seed: 2).Next, count, Read, bytesPerByte: 200, GzipBytesPerFile);
        accepted.Should().BeInRange(count / 200, count * 3 / 4);
    }

    [Fact]
    public void Read_GzipFilesOfBrokenFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000) / 4;
        var mutations = new FileMutations(Files, seed: 3);
        int accepted = HostileFiles.Read(() => MnistFiles.Gzip(mutations.Next()), count, Read, bytesPerByte: 200, GzipBytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 3 / 4);
    }

    [Fact]
    public void Read_GzipBomb_IsRefusedBeforeItIsUnpacked()
    {
        byte[] bomb = MnistFiles.Gzip(MnistFiles.Idx([100_000, 28, 28], _ => 0));
        bomb.Length.Should().BeLessThan((100_000 * 784 / 100) - 16);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action read = () => Read(bomb);
        read.Should().Throw<InvalidDataException>().WithMessage($"the stream, byte 4: 100000x28x28 values are 78400016 bytes, *not unpack to more than {100L * bomb.Length}.");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1 << 19);
    }

    [Fact]
    public void Read_GzipFileThatSaysLittleAndHoldsMuch_IsLeftUnread()
    {
        byte[] file = MnistFiles.Idx([100_000, 28, 28], _ => 0);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4), 1);
        byte[] bomb = MnistFiles.Gzip(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action read = () => Read(bomb);
        read.Should().Throw<InvalidDataException>().WithMessage("*values end here, but the file goes on*");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(2 << 20);
    }

    [Fact]
    public void Read_SmallOrWellPackedGzipFile_IsNoBomb()
    {
        // Up to 1 MiB anything goes, as a few blank images; above, up to 100 times the file's size.
        Read(MnistFiles.Gzip(MnistFiles.Idx([1330, 28, 28], _ => 0)));
        Read(MnistFiles.Gzip(MnistFiles.Idx([5000, 28, 28], i => (byte)(i % 64 == 0 ? i * i / 64 : 0))));
    }

    [Fact]
    public void HashOf_GzipBomb_IsNoHash()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("bomb"), MnistFiles.Gzip(new byte[64 << 20]));
        var remote = new RemoteFile("bomb", System.Security.Cryptography.HashAlgorithmName.SHA256, "00", OfContents: true);
        remote.HashOf(folder.File("bomb")).Should().BeEmpty();
        remote.IsRight(folder.File("bomb")).Should().BeFalse();
    }

    private static void Read(byte[] file)
    {
        // Labels and images: the reader is asked for the one or the other.
        using var stream = new MemoryStream(file, writable: false);
        (int[] shape, byte[] values) = IdxFile.Read(stream, "the stream", file.Length % 2 == 0 && file.Length < 60 ? 1 : 3, "things");
        values.LongLength.Should().Be(shape.Aggregate(1L, (product, size) => product * size));
    }
}
