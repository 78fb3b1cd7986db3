using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MnistTrainer;
using NativeConv;

// Trains, saves, loads and predicts with each of the trainer's networks and prints what came of it, so that just-in-time and ahead-of-time builds and other
// processors can be compared line by line. Lines on standard error differ from machine to machine. "start" only starts.
if (args is ["start"])
{
    Console.Error.WriteLine($"started in {(DateTime.Now - Process.GetCurrentProcess().StartTime).TotalMilliseconds:F0} ms");
    return 0;
}

const int Batch = 16, Steps = 20;
ExecutionOptions execution = new();
Console.Error.WriteLine($"vectors of {execution.Level}, {RuntimeInformation.ProcessArchitecture}, dynamic code {RuntimeFeature.IsDynamicCodeCompiled}");

Dataset digits = DrawnDigits.Create(Batch * Steps, seed: 3);
int[] indices = new int[Batch], labels = new int[Batch];
float[] images = new float[Batch * 28 * 28], before = new float[Batch * 10], after = new float[Batch * 10];
foreach (string name in Networks.Names)
{
    Model model = Networks.Get(name).Build(seed: 42);
    model.Execution = execution with { ThreadCount = 2 };
    TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-3f), Batch, seed: 7);
    long start = Stopwatch.GetTimestamp();
    float loss = 0;
    for (int step = 0; step < Steps; step++)
    {
        for (int i = 0; i < Batch; i++)
            indices[i] = (step * Batch) + i;

        digits.CopyImages(indices, images);
        digits.CopyLabels(indices, labels);
        loss = session.Step(images, labels).Loss;
    }

    Console.Error.WriteLine($"{name}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds / Steps:F1} ms a step");
    model.Predict(images, before);
    string path = Path.Combine(Path.GetTempPath(), $"nativeconv-{Guid.NewGuid():N}.safetensors");
    try
    {
        model.Save(path);
        Model.Load(path).Predict(images, after);
    }
    finally
    {
        File.Delete(path);
    }

    using var onnx = new MemoryStream();
    model.SaveOnnx(onnx);
    float[] imported = new float[before.Length];
    Model.LoadOnnx(onnx.ToArray()).Predict(images, imported);
    if (!before.AsSpan().SequenceEqual(after) || !Agree(before, imported) || !float.IsFinite(loss))
    {
        Console.Error.WriteLine($"{name}: a loaded model predicts otherwise");
        return 1;
    }

    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: loss {loss:R}, weights {Hash(model.Parameters.Select(p => p.Value.Span.ToArray()))}, outputs {Hash([before])}"));
}

return 0;

static string Hash(IEnumerable<float[]> values)
{
    using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    foreach (float[] part in values)
        hash.AppendData(MemoryMarshal.AsBytes(part.AsSpan()));
    return Convert.ToHexStringLower(hash.GetHashAndReset());
}

// An ONNX file stands for the same sums in another order.
static bool Agree(float[] expected, float[] actual)
{
    float bound = 1e-5f * expected.Max(Math.Abs);
    return expected.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= bound);
}
