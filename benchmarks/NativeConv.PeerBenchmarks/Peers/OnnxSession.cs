using Microsoft.ML.OnnxRuntime;

namespace NativeConv.PeerBenchmarks.Peers;

/// <summary>A model in ONNX Runtime with its input and output bound to memory of ours, so that a run copies and allocates nothing for them.</summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _input, _output;
    private readonly RunOptions _run = new();

    /// <param name="model">The model's bytes.</param>
    /// <param name="threads">Threads within an operator; all else as it is by default.</param>
    /// <param name="input">What it reads, in the model's layout.</param>
    /// <param name="output">What it writes, in the model's layout.</param>
    public OnnxSession(byte[] model, int threads, Tensor input, Tensor output)
    {
        _options = new() { IntraOpNumThreads = threads };
        _session = new(model, _options);
        _binding = _session.CreateIoBinding();
        _input = Bind(input);
        _output = Bind(output);
        _binding.BindInput(OnnxGraph.Input, _input);
        _binding.BindOutput(OnnxGraph.Output, _output);
    }

    public void Run() => _session.RunWithBinding(_run, _binding);

    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _output.Dispose();
        _session.Dispose();
        _options.Dispose();
        _run.Dispose();
    }

    private static OrtValue Bind(Tensor tensor) =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, tensor.Memory, Array.ConvertAll(tensor.Shape.ToArray(), size => (long)size));
}
