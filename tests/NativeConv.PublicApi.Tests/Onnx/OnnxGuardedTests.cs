using FluentAssertions;
using NativeConv.Hostile;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>ONNX files whole, cut and broken, between guard pages: a reader that looks beyond its bytes ends the process.</summary>
public sealed class OnnxGuardedTests
{
    private const int Broken = 5000;

    [Fact]
    public void Files_OfOthers_AreReadWithinTheirBytes()
    {
        byte[][] files = [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Onnx"), "*.onnx", SearchOption.AllDirectories).Select(File.ReadAllBytes)];
        files.Count(file => GuardedReading.Accepts(file, Load)).Should().BeGreaterThan(60);
    }

    [Fact]
    public void File_CutAnywhere_IsReadWithinItsBytes()
    {
        byte[] file = Save("class_names");
        for (int length = 0; length < file.Length; length++)
            GuardedReading.Accepts(file[..length], Load).Should().BeFalse("{0} of {1} bytes are there", length, file.Length);

        GuardedReading.Accepts(file, Load).Should().BeTrue();
    }

    [Fact]
    public void Files_Broken_AreReadWithinTheirBytes()
    {
        var files = new FileMutations([Save("squeeze_excitation"), Save("class_names")], seed: 14);
        int accepted = Enumerable.Range(0, Broken).Count(_ => GuardedReading.Accepts(files.Next(), Load));
        accepted.Should().BeInRange(Broken / 100, Broken / 2);
    }

    private static void Load(ReadOnlyMemory<byte> file) => Model.LoadOnnx(file);

    private static byte[] Save(string name)
    {
        using var stream = new MemoryStream();
        SampleModels.Build(name).SaveOnnx(stream);
        return stream.ToArray();
    }
}
