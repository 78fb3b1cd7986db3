using NativeConv.Onnx.Export;
using NativeConv.Onnx.Format;
using NativeConv.Onnx.Import;
using NativeConv.Serialization;

namespace NativeConv;

/// <summary>
/// Models as ONNX files, for ONNX Runtime and others to run, and ONNX files as models, to run or to train on. Written are operators of set 17 under IR
/// version 8; read are the operators that the library has, of sets 6 to 24.
/// </summary>
/// <remarks>
/// <para>
/// ONNX holds images as [N, channels, height, width], and so does a written file: the input has the input node's name (<c>input</c>) and those dimensions, N
/// being free; the output is called <c>output</c> and is [N, channels, height, width], or [N, outputs] where it is one pixel. Input normalization comes first in
/// the graph, weights are transposed into ONNX' layouts, dropout is written but does nothing in inference, and class names are metadata. What the graph gives
/// are logits, as <see cref="Model.Predict"/>.
/// </para>
/// <para>
/// A read model takes images [N, height, width, channels], as every model here, and its weights can be trained further. Its layers are named as PyTorch names
/// its modules, where the file's weights are (<c>features.0</c>), and else as the file's nodes.
/// </para>
/// </remarks>
public static class OnnxFile
{
    extension(Model)
    {
        /// <summary>Reads an ONNX file.</summary>
        /// <param name="path">The file.</param>
        /// <exception cref="IOException">The file cannot be read.</exception>
        /// <exception cref="InvalidDataException">The file is broken, or has an operator that the library lacks; the message names file, byte, node and rule.</exception>
        public static Model LoadOnnx(string path)
        {
            ArgumentException.ThrowIfNullOrEmpty(path);
            return Load(new(path, File.ReadAllBytes(path)));
        }

        /// <summary>Reads an ONNX file from a stream, up to its end.</summary>
        /// <param name="stream">The stream, which stays open.</param>
        /// <exception cref="IOException">The stream cannot be read.</exception>
        /// <exception cref="InvalidDataException">As for a path; the message calls the file a stream.</exception>
        public static Model LoadOnnx(Stream stream)
        {
            ArgumentNullException.ThrowIfNull(stream);
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return Load(new("stream", bytes.GetBuffer().AsMemory(0, (int)bytes.Length)));
        }

        /// <summary>Reads an ONNX file in memory.</summary>
        /// <param name="bytes">The whole file.</param>
        /// <exception cref="InvalidDataException">As for a path; the message calls the file bytes.</exception>
        public static Model LoadOnnx(ReadOnlyMemory<byte> bytes) => Load(new("bytes", bytes));
    }

    /// <summary>Writes the model as an ONNX file. Equal models give equal files; a crash leaves the old file or the new one.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, which is replaced.</param>
    /// <exception cref="ArgumentException">The model holds a layer of your own, which ONNX has no operator for, or more weights than the format can hold.</exception>
    /// <exception cref="IOException">The file cannot be written; the old one is as it was.</exception>
    public static void SaveOnnx(this Model model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        OnnxModel onnx = GraphExporter.Export(model);
        AtomicFile.Write(path, stream => OnnxWriter.Write(onnx, stream));
    }

    /// <summary>Writes the model as an ONNX file to a stream.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream, which stays open.</param>
    /// <exception cref="ArgumentException">As for a path.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void SaveOnnx(this Model model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        OnnxWriter.Write(GraphExporter.Export(model), stream);
    }

    private static Model Load(SourceFile file) => GraphImporter.Import(file, OnnxReader.Read(file));
}
