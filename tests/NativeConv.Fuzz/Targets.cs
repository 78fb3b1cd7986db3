using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using NativeConv.Data;
using NativeConv.Keras;
using NativeConv.Serialization;

namespace NativeConv.Fuzz;

/// <summary>The readers that are fuzzed, each with good files to start from. A reader may throw InvalidDataException; whatever else escapes is a fault.</summary>
internal static class Targets
{
    private static readonly Lazy<byte[]> Checkpoint = new(MakeCheckpoint);

    public static IReadOnlyDictionary<string, (Action<byte[]> Read, Func<byte[][]> Seeds)> All { get; } = new Dictionary<string, (Action<byte[]>, Func<byte[][]>)>
    {
        ["idx"] = (ReadIdx, () => [Idx(3, 2, 5), Idx(9)]),
        ["gzip"] = (file => ReadIdx(Gzip(file)), () => [Idx(3, 2, 5), Idx(9)]),
        ["gzip-stream"] = (ReadIdx, () => [Gzip(Idx(3, 2, 5)), Gzip(Idx(9))]),
        ["model"] = (file => Model.Load(file.AsMemory()), () => [Small().SaveToBytes()]),
        ["graph"] = (ReadGraph, () => [Encoding.UTF8.GetBytes(GraphJson.Write(Small()))]),
        ["checkpoint"] = (file => TrainingStateFile.Read(new(file, "f")), () => [Checkpoint.Value]),
        ["state"] = (ReadState, () => [Encoding.UTF8.GetBytes(new SafetensorsFile(Checkpoint.Value, "f").Metadata["nativeconv.training"])]),
        ["onnx"] = (file => Model.LoadOnnx(file), OnnxSeeds),
        ["hdf5"] = (file => Small().LoadKerasWeights(new MemoryStream(file), strict: false), HdfSeeds),
    };

    private static Model Small() => new ModelBuilder(4, 4, 1).Normalize(scale: 0.5f).SeparableConv2D(2, 3, activation: Activation.ReLU, batchNormalization: true)
        .MaxPool2D(2).Dropout(0.1f).Flatten().Dense(2).ClassNames("a", "b").Build(1);

    private static byte[] Idx(params int[] shape)
    {
        byte[] file = new byte[4 + (4 * shape.Length) + shape.Aggregate(1, (product, size) => product * size)];
        file[2] = 8;
        file[3] = (byte)shape.Length;
        for (int i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + (4 * i)), shape[i]);

        return file;
    }

    private static byte[] Gzip(byte[] file)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest))
            zip.Write(file);

        return packed.ToArray();
    }

    private static void ReadIdx(byte[] file) => IdxFile.Read(new MemoryStream(file), "f", file.Length % 2 == 0 ? 3 : 1, "things");

    private static void ReadGraph(byte[] json) => GraphJson.Read(Encoding.UTF8.GetString(json), new Dictionary<string, Func<LayerConfiguration, Layer>>());

    /// <summary>A state that is fuzzed behind the hash that else would stop it.</summary>
    private static void ReadState(byte[] json) => TrainingStateJson.Read(Encoding.UTF8.GetString(json));

    private static byte[] MakeCheckpoint()
    {
        string path = Path.GetTempFileName();
        Dataset data = Dataset.FromFloats(new float[8 * 16], new(4, 4, 1), new int[8], ["a", "b"]);
        Small().Fit(data, data, new() { Epochs = 1, BatchSize = 4, Callbacks = [new EarlyStopping(2, restoreBestWeights: true), new ReduceOnPlateau(), new Checkpoint(path)] });
        byte[] file = File.ReadAllBytes(path);
        File.Delete(path);
        return file;
    }

    private static byte[][] OnnxSeeds()
    {
        using var file = new MemoryStream();
        Small().SaveOnnx(file);
        return [file.ToArray()];
    }

    private static byte[][] HdfSeeds() =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Files"), "*.h5").Select(File.ReadAllBytes).Where(file => file.Length < 12_000)];
}
