namespace NativeConv.Serialization;

/// <summary>What a file that is no safetensors file probably is, by its first bytes, so that the error says what to do with it.</summary>
internal static class ForeignFile
{
    /// <summary>Words for an error.</summary>
    /// <param name="file">The file from its beginning.</param>
    public static string Describe(ReadOnlySpan<byte> file)
    {
        string? kind = file switch
        {
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "a PNG picture",
            [0xFF, 0xD8, 0xFF, ..] => "a JPEG picture",
            [0x89, (byte)'H', (byte)'D', (byte)'F', ..] => "HDF5, and NativeConv.Keras reads Keras' weights from it",
            [(byte)'P', (byte)'K', 3, 4, ..] => "a ZIP archive: NativeConv.Keras reads Keras' .keras files, PyTorch's must be saved as safetensors",
            [0x80, >= 2 and <= 5, ..] => "a pickle, which PyTorch must save as safetensors",
            [0x1F, 0x8B, ..] => "compressed by gzip",

            // Protocol buffers: field 1 is the version of the format, field 2 the producer's name, field 7 or 8 may follow it at once.
            [0x08, >= 3 and <= 12, 0x12 or 0x3A or 0x42, ..] => "ONNX, which NativeConv.Onnx reads",
            _ => null,
        };
        return kind == null ? "the file is no safetensors file" : $"the file is no safetensors file but {kind}";
    }
}
