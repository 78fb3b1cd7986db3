using System.Text;
using FluentAssertions;
using NativeConv.Hostile;
using Xunit;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>Files that were good and then were not: whatever a reader makes of them, it is a model or an error about the file, in proportion to the file.</summary>
public sealed class OnnxMutationTests
{
    /// <summary>Managed memory a byte of the file, and for a file of any size. The least node is five bytes and becomes an object with lists and a text.</summary>
    private const long BytesPerByte = 64, BytesPerFile = 1 << 17;

    private static readonly string[][] Exchanges =
    [
        ["Add", "Sub", "Mul", "Div", "Sum", "Erf", "Elu", "Pad"], ["Relu", "Tanh", "Clip", "Gelu", "Conv", "Gemm"], ["Concat", "MatMul", "Gather"],
        ["Flatten", "Squeeze", "Dropout", "Reshape", "MaxPool", "Sigmoid"], ["pads", "axis", "axes", "perm"], ["strides", "epsilon"],
    ];

    [Fact]
    public void LoadOnnx_SeededMutations_ThrowOnlyInvalidData()
    {
        int count = HostileFiles.Count(100_000), loaded = 0;
        byte[][] originals =
        [
            .. ((string[])["squeeze_excitation", "concat_of_flattened", "separable_normalized", "class_names", "image_Gelu"]).Select(Save),
            .. ((string[])["normalized", "joined", "activations", "mobile_folded", "mobile"]).Select(name =>
                File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Onnx", "PyTorch", name + ".onnx"))),
        ];
        HostileFiles.Read(new FileMutations(originals, seed: 7, Forge).Next, count, Load, BytesPerByte, BytesPerFile);
        loaded.Should().BeInRange(count / 100, count / 2, "most mutations must matter, and some must not");

        void Load(byte[] file)
        {
            Model model = Model.LoadOnnx(file);
            loaded++;
            model.Parameters.Sum(parameter => sizeof(float) * (long)parameter.Value.Length).Should().BeLessThanOrEqualTo(16L * file.Length);
        }
    }

    [Fact]
    public void LoadOnnx_BrokenFiles_ThrowOnlyInvalidData()
    {
        int count = HostileFiles.Count(100_000);
        byte[][] originals = [Save("squeeze_excitation"), Save("class_names"), File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Onnx", "PyTorch", "normalized.onnx"))];
        int accepted = HostileFiles.Read(new FileMutations(originals, seed: 9).Next, count, file => Model.LoadOnnx(file), BytesPerByte, BytesPerFile);
        accepted.Should().BeInRange(count / 100, count / 2);
    }

    public static TheoryData<string, byte[]> TinyMessages => new()
    {
        { "nodes", OnnxBytes.Message(1, OnnxBytes.Text(4, "A")) },
        { "inputs of nodes", OnnxBytes.Message(1, [OnnxBytes.Text(4, "A"), .. Enumerable.Repeat(OnnxBytes.Text(1, ""), 1000)]) },
        { "attributes", OnnxBytes.Message(1, [OnnxBytes.Text(4, "A"), .. Enumerable.Repeat(OnnxBytes.Message(5, OnnxBytes.Text(1, "a")), 1000)]) },
        { "numbers of attributes", OnnxBytes.Message(1, OnnxBytes.Text(4, "A"), OnnxBytes.Message(5, OnnxBytes.Text(1, "a"), OnnxBytes.Message(8, new byte[1000]))) },
        { "dimensions", OnnxBytes.Message(5, OnnxBytes.Text(8, "w"), OnnxBytes.Message(1, new byte[1000])) },
        { "initializers", OnnxBytes.Message(5, OnnxBytes.Text(8, "w")) },
        { "inputs", OnnxBytes.Message(11) },
        { "dimensions of inputs", OnnxBytes.Message(11, OnnxBytes.Message(2, OnnxBytes.Message(1, [OnnxBytes.Message(2, [.. Enumerable.Repeat(OnnxBytes.Message(1), 1000)])]))) },
    };

    [Theory]
    [MemberData(nameof(TinyMessages))]
    public void LoadOnnx_ManyTinyMessages_AllocatesInProportion(string what, byte[] message)
    {
        byte[] file = OnnxBytes.Model([.. Enumerable.Repeat(message, 1_000_000 / message.Length)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Action load = () => Model.LoadOnnx(file);
        load.Should().Throw<InvalidDataException>();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan((BytesPerByte * file.Length) + BytesPerFile, what);
    }

    private static byte[] Forge(byte[] file, int at, System.Random random)
    {
        if (random.Next(2) == 0)
            return [.. file[..at], .. OnnxBytes.Varint((ulong)random.NextInt64(long.MinValue, long.MaxValue)), .. file[Math.Min(file.Length, at + 1)..]];

        Exchange(file, at, random);
        return file;
    }

    /// <summary>Puts another operator or attribute in the place of the next one that has one of as many letters.</summary>
    private static void Exchange(byte[] file, int at, System.Random random)
    {
        string[] words = Exchanges[random.Next(Exchanges.Length)];
        foreach (string word in words)
        {
            string[] others = [.. words.Where(other => other.Length == word.Length)];
            int found = file.AsSpan(at).IndexOf(Encoding.ASCII.GetBytes(word));
            if (found >= 0)
                Encoding.ASCII.GetBytes(others[random.Next(others.Length)]).CopyTo(file, at + found);
        }
    }

    private static byte[] Save(string name)
    {
        using var stream = new MemoryStream();
        SampleModels.Build(name).SaveOnnx(stream);
        return stream.ToArray();
    }
}
