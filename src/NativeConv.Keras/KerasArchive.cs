using System.IO.Compression;

namespace NativeConv.Keras;

/// <summary>A <c>.keras</c> file: a zip file with the model's configuration and its weights.</summary>
internal sealed class KerasArchive
{
    public const string ConfigName = "config.json", WeightsName = "model.weights.h5";

    /// <summary>Trained weights hardly shrink, and Keras does not even pack them; a file that unpacks to more than this many times its size, and more than this many bytes, is a trap.</summary>
    private const long MostUnpacking = 16, AlwaysAllowed = 1 << 20;

    /// <exception cref="InvalidDataException">The zip file is corrupt, lacks a file, or unpacks to far more than it holds.</exception>
    public KerasArchive(byte[] file, string name)
    {
        try
        {
            using var archive = new ZipArchive(new MemoryStream(file, writable: false), ZipArchiveMode.Read);
            Config = Read(archive, ConfigName, name);
            Weights = Read(archive, WeightsName, name);
        }
        catch (Exception e) when (e is InvalidDataException { Source: not nameof(KerasArchive) } or EndOfStreamException or ArgumentException or NotSupportedException or IOException)
        {
            throw new InvalidDataException($"{name}: the zip file is corrupt: {e.Message}", e);
        }
    }

    public byte[] Config { get; }

    public byte[] Weights { get; }

    private static byte[] Read(ZipArchive archive, string entryName, string name)
    {
        ZipArchiveEntry entry = archive.GetEntry(entryName)
            ?? throw Broken($"{name}: a model's zip file must hold '{entryName}', but holds {(archive.Entries.Count == 0 ? "nothing" : string.Join(", ", archive.Entries.Take(10).Select(e => e.FullName)))}.");
        if (entry.Length > Math.Max(AlwaysAllowed, MostUnpacking * entry.CompressedLength) || entry.Length > Array.MaxLength)
            throw Broken($"{name}/{entryName}: {entry.CompressedLength} bytes may not unpack to {entry.Length}.");

        using Stream contents = entry.Open();
        byte[] bytes = new byte[entry.Length];
        contents.ReadExactly(bytes);
        return contents.ReadByte() < 0 ? bytes : throw Broken($"{name}/{entryName}: the zip file tells of {entry.Length} bytes, but there are more.");
    }

    private static InvalidDataException Broken(string message) => new(message) { Source = nameof(KerasArchive) };
}
