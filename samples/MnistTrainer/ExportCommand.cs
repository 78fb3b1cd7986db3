using NativeConv;

namespace MnistTrainer;

/// <summary>Writes a saved model as a file of another format.</summary>
internal static class ExportCommand
{
    public const string Onnx = "onnx", Safetensors = "safetensors";

    public static int Run(string? from, string format, string to)
    {
        string file = RunFolder.FindModel(from);
        var model = Model.Load(file);
        if (format == Onnx)
            model.SaveOnnx(to);
        else
            model.Save(to);

        new Terminal().Line($"Wrote {to} ({format}, {new FileInfo(to).Length} bytes) from {file}.");
        return ExitCode.Success;
    }
}
