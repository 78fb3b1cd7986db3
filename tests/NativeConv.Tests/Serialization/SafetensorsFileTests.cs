using System.Buffers.Binary;
using System.Text;
using FluentAssertions;
using NativeConv.Serialization;
using Xunit;

namespace NativeConv.Tests.Serialization;

public sealed class SafetensorsFileTests
{
    private const string Good = """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}""";

    [Fact]
    public void Read_WhatWasWritten_IsTheSame()
    {
        using var stream = new MemoryStream();
        float[] a = [1, -0f, float.NaN, float.PositiveInfinity, 1e-45f, 3];
        SafetensorsWriter.Write(stream, [new("z", "ü\"\\"), new("a", "")], [("a", new TensorShape(2, 3), a), ("b.c", new TensorShape(1), new float[] { 7 })]);
        var file = new SafetensorsFile(stream.ToArray(), "f");
        file.Metadata.Should().BeEquivalentTo(new Dictionary<string, string> { ["a"] = "", ["z"] = "ü\"\\" });
        float[] back = new float[6];
        file.CopyTo("a", new(2, 3), back);
        back.Select(BitConverter.SingleToInt32Bits).Should().Equal(a.Select(BitConverter.SingleToInt32Bits));
        BinaryPrimitives.ReadUInt64LittleEndian(stream.ToArray()).Should().Match(length => length % 8 == 0);
    }

    [Fact]
    public void Read_TheFormatsOwnExample_Works()
    {
        var file = new SafetensorsFile(File(Good, 12), "f");
        file.Entries.Keys.Should().BeEquivalentTo("a", "b");
        file.Metadata["k"].Should().Be("v");
    }

    [Theory]
    [InlineData("[2]", "[3]", "needs 12 bytes, but its offsets span 8")]
    [InlineData("[0,8]", "[1,9]", "must start at 0")]
    [InlineData("[8,12]", "[4,8]", "must start at 8")]
    [InlineData("[8,12]", "[12,16]", "must start at 8")]
    [InlineData("[0,8]", "[8,0]", "span -8")]
    [InlineData("[0,8]", "[0]", "two data_offsets")]
    [InlineData("[2]", "[-2]", "not negative")]
    [InlineData("[2]", "[2.5]", "whole numbers")]
    [InlineData("[2]", "[4294967296,4294967296,4294967296]", "overflows")]
    [InlineData("\"b\"", "\"a\"", "without duplicate keys")]
    [InlineData("\"F32\",\"shape\":[2]", "\"X99\",\"shape\":[2]", "unknown type 'X99'")]
    [InlineData("{\"k\":\"v\"}", "{\"k\":1}", "must be a string")]
    [InlineData("{\"k\":\"v\"}", "{\"k\":\"v\",\"k\":\"w\"}", "without duplicate keys")]
    [InlineData("{\"k\":\"v\"}", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "JSON")]
    [InlineData("\"shape\":[2],", "", "must have a dtype, a shape")]
    [InlineData("\"shape\":[2],", "\"shape\":[2],\"x\":1,", "field 'x'")]
    [InlineData("{\"__m", " {\"__m", "start with '{'")]
    [InlineData("\"v\"", "\"\\ud800\"", "must be Unicode")]
    [InlineData("\"a\"", "\"\\udc00\"", "must be Unicode")]
    public void Read_BrokenHeader_NamesTheRule(string from, string to, string message)
    {
        int at = Good.IndexOf(from, StringComparison.Ordinal);
        string header = Good[..at] + to + Good[(at + from.Length)..];
        Action read = () => _ = new SafetensorsFile(File(header, 12), "f");
        read.Should().Throw<InvalidDataException>().WithMessage($"f, byte *{message}*");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    public void Read_TooFewOrTooManyBytes_IsRefused(int bytes)
    {
        Action read = () => _ = new SafetensorsFile(File(Good, bytes), "f");
        read.Should().Throw<InvalidDataException>();
    }

    [Theory]
    [InlineData(ulong.MaxValue, "at most 100000000 bytes")]
    [InlineData(100_000_001ul, "at most 100000000 bytes")]
    [InlineData(500ul, "only 12 follow")]
    public void Read_HeaderLengthBeyondTheFile_IsRefused(ulong length, string message)
    {
        byte[] file = new byte[20];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Action read = () => _ = new SafetensorsFile(file, "f");
        read.Should().Throw<InvalidDataException>().WithMessage($"f, byte 0: *{message}*");
    }

    [Theory]
    [InlineData(new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A }, "but a PNG picture")]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 0x4A, 0x46 }, "but a JPEG picture")]
    [InlineData(new byte[] { 0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A }, "but HDF5, and NativeConv.Keras")]
    [InlineData(new byte[] { 0x50, 0x4B, 3, 4, 0, 0, 8, 8 }, "but a ZIP archive: NativeConv.Keras")]
    [InlineData(new byte[] { 0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46 }, "but a pickle")]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 1 }, "but compressed by gzip")]
    [InlineData(new byte[] { 8, 8, 0x12, 7, 0x70, 0x79, 0x74, 0x6F }, "but ONNX, which NativeConv.Onnx reads")]
    [InlineData(new byte[] { 0x53, 0x65, 0x76, 0x65, 0x6E, 0x20, 0x69, 0x73 }, "no safetensors file: the first 8 bytes")]
    public void Read_AFileOfAnotherKind_SaysWhatItIs(byte[] file, string message)
    {
        Action read = () => _ = new SafetensorsFile(file, "f");
        read.Should().Throw<InvalidDataException>().WithMessage($"f, byte 0: the file is *{message}*at most 100000000 bytes*");
    }

    [Fact]
    public void Read_NoUtf8_IsRefused()
    {
        byte[] file = File(Good, 12);
        file[8 + Good.IndexOf('k', StringComparison.Ordinal)] = 0xFF;
        Action read = () => _ = new SafetensorsFile(file, "f");
        read.Should().Throw<InvalidDataException>().WithMessage("*UTF-8*");
    }

    [Fact]
    public void Read_SeededCorruptions_ThrowOnlyInvalidData()
    {
        var random = new System.Random(11);
        byte[] original = File(Good, 12);
        byte[] alphabet = "{}[]\",:0123456789-abF.e\\u"u8.ToArray();
        for (int i = 0; i < 100_000; i++)
        {
            byte[] file = [.. original];
            for (int edits = random.Next(1, 5); edits > 0; edits--)
                file[random.Next(file.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];

            if (random.Next(4) == 0)
                file = file[..random.Next(file.Length)];

            try
            {
                foreach (SafetensorsEntry entry in new SafetensorsFile(file, "f").Entries.Values)
                    (entry.Start + entry.Bytes).Should().BeLessThanOrEqualTo(file.Length);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    private static byte[] File(string header, int bytes)
    {
        byte[] text = Encoding.UTF8.GetBytes(header), file = new byte[8 + text.Length + bytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, text.Length);
        text.CopyTo(file, 8);
        return file;
    }
}
