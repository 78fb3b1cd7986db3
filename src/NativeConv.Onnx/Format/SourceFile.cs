namespace NativeConv.Onnx.Format;

/// <summary>A file's bytes and the name that messages call it by.</summary>
/// <param name="Name">The path, or what the caller said the bytes are.</param>
/// <param name="Bytes">The whole file.</param>
internal sealed record SourceFile(string Name, ReadOnlyMemory<byte> Bytes)
{
    public InvalidDataException Broken(int offset, string rule, Exception? cause = null) => new($"{Name}, byte {offset}: {rule}.", cause);
}
