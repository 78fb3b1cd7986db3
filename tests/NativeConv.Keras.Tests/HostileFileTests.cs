using System.Buffers.Binary;
using System.IO.Compression;
using FluentAssertions;
using NativeConv.Hostile;
using Xunit;

namespace NativeConv.Keras.Tests;

/// <summary>Files that are broken or made to harm: nothing but InvalidDataException, in little time and memory.</summary>
public sealed class HostileFileTests
{
    private static readonly byte[] Weights = File.ReadAllBytes(KerasFileTests.File("sequential.weights.h5")), Archive = File.ReadAllBytes(KerasFileTests.File("functional.keras"));

    /// <summary>
    /// The package that reads HDF5 sets an array aside before it reads into it, of a size that may be forged in 32 bits; its stream then refuses, so that the array is never touched. What
    /// counts is therefore the memory in use, over all files.
    /// </summary>
    private const long BytesPerByte = 64, BytesPerFile = 3L << 30, MostInUse = 512 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(96)]
    [InlineData(2000)]
    [InlineData(30000)]
    public void Weights_Truncated_AreRefused(int length) => Refused(Weights[..length]);

    [Fact]
    public void Weights_OfAnotherKind_AreRefused()
    {
        Refused("PK"u8.ToArray());
        Refused([.. "PK"u8, .. Weights]);
        Refused(new byte[100_000]);
        Refused(Enumerable.Range(0, 100_000).Select(i => (byte)(i * i)).ToArray());
    }

    [Theory]
    [InlineData("HEAP", 8)]
    [InlineData("TREE", 8)]
    [InlineData("TREE", 24)]
    [InlineData("SNOD", 8)]
    public void Weights_ForgedAddressOrSize_AreRefusedWithoutTouchingWhatTheyAskFor(string structure, int field)
    {
        foreach (ulong forged in (ulong[])[0x7FFF_0000, 0xFFFF_FFFF, ulong.MaxValue, 0x7FFF_FFFF_FFFF_FFFF, 0])
        {
            byte[] file = [.. Weights];
            ReadOnlySpan<byte> signature = System.Text.Encoding.ASCII.GetBytes(structure);
            for (int at = 0; at + field + 8 <= file.Length; at++)
            {
                if (file.AsSpan(at, 4).SequenceEqual(signature))
                    BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at + field), forged);
            }

            long before = Environment.WorkingSet;
            Tolerated(file);
            (Environment.WorkingSet - before).Should().BeLessThan(200 << 20);
        }
    }

    [Fact]
    public void Weights_InAnotherFile_AreRefused()
    {
        File.WriteAllBytes("elsewhere.bin", [0, 0, 128, 63]);
        Refuses("elsewhere", "*'layers/dense/vars/0' has its values elsewhere than in this file*");
        File.Delete("elsewhere.bin");
    }

    [Fact]
    public void Weights_LinkToItself_DoNotOverflowTheStack() => Refuses("loop", "*'layers/dense/vars/0' must be a data set*");

    [Fact]
    public void Weights_Packed_AreRefused() => Refuses("packed", "*'layers/dense/vars/0' must be stored in one piece*Chunked*");

    [Fact]
    public void Weights_ThatShareTheirBytes_CannotBeMoreThanTheFile() => Refuses("shared", "*for which the file has too few bytes*");

    [Fact]
    public void Weights_SeededCorruptions_ThrowOnlyInvalidData()
    {
        var random = new System.Random(5);

        // What is not zero and no weight: the structures of the file.
        int[] places = [.. Enumerable.Range(0, Weights.Length).Where(i => i < 3000 || Weights[i] != 0)];
        int accepted = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] file = [.. Weights];
            for (int edits = random.Next(1, 4); edits > 0; edits--)
            {
                int place = places[random.Next(places.Length)];
                file[place] = random.Next(4) switch { 0 => 0, 1 => 255, 2 => (byte)(file[place] + 1), _ => (byte)random.Next(256) };
            }

            accepted += Tolerated(file) ? 1 : 0;
        }

        accepted.Should().BeInRange(100, 950, "some corruptions hit weights, some structures");
    }

    [Fact]
    public void Weights_BrokenFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        byte[][] originals = [Weights, .. ((string[])["newer", "packed", "shared"]).Select(name => File.ReadAllBytes(KerasFileTests.File($"{name}.weights.h5")))];
        long before = Environment.WorkingSet;
        int accepted = HostileFiles.Read(new FileMutations(originals, seed: 10).Next, count, file => KerasVariables.Read(file, "f"), BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count * 9 / 10);
        (Environment.WorkingSet - before).Should().BeLessThan(MostInUse);
    }

    [Fact]
    public void Archive_BrokenFiles_ThrowOnlyInvalidDataInProportion()
    {
        int count = HostileFiles.Count(100_000);
        byte[][] originals = [Archive, File.ReadAllBytes(KerasFileTests.File("sequential.keras"))];
        long before = Environment.WorkingSet;
        int accepted = HostileFiles.Read(new FileMutations(originals, seed: 11).Next, count, file => KerasFile.Load(new MemoryStream(file, writable: false)), BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 1000, count * 9 / 10);
        (Environment.WorkingSet - before).Should().BeLessThan(MostInUse);
    }

    [Fact]
    public void Archive_Bomb_IsRefusedUnread()
    {
        byte[] bomb = Zip(("config.json", new byte[300 << 20]), ("model.weights.h5", []));
        bomb.Length.Should().BeLessThan(1 << 20);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action load = () => KerasFile.Load(new MemoryStream(bomb));
        load.Should().Throw<InvalidDataException>().WithMessage("the stream/config.json: * bytes may not unpack to 314572800.");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(4 << 20);
    }

    [Fact]
    public void Archive_WithoutItsFiles_NamesThem()
    {
        Action noConfig = () => KerasFile.Load(new MemoryStream(Zip(("else", [1]))));
        noConfig.Should().Throw<InvalidDataException>().WithMessage("*'config.json', but holds else*");
        Action noWeights = () => KerasFile.Load(new MemoryStream(Zip(("config.json", [1]))));
        noWeights.Should().Throw<InvalidDataException>().WithMessage("*'model.weights.h5', but holds config.json*");
    }

    private static void Refused(byte[] file)
    {
        Action load = () => new ModelBuilder(4, 4, 1).Conv2D(2, 3).Build().LoadKerasWeights(new MemoryStream(file), strict: false);
        load.Should().Throw<InvalidDataException>().WithMessage("the stream*");
    }

    private static void Refuses(string name, string message)
    {
        Action read = () => KerasVariables.Read(File.ReadAllBytes(KerasFileTests.File($"{name}.weights.h5")), "f");
        read.Should().Throw<InvalidDataException>().WithMessage(message);
    }

    /// <summary>Whether a file is read; only one exception may say that it is not.</summary>
    private static bool Tolerated(byte[] file)
    {
        try
        {
            KerasVariables.Read(file, "f");
            return true;
        }
        catch (InvalidDataException e)
        {
            e.Message.Should().StartWith("f: ");
            return false;
        }
    }

    private static byte[] Zip(params (string Name, byte[] Contents)[] files)
    {
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] contents) in files)
            {
                using Stream entry = archive.CreateEntry(name).Open();
                entry.Write(contents);
            }
        }

        return zip.ToArray();
    }
}
