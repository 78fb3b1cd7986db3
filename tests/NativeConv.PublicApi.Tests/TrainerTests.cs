using System.Diagnostics;
using System.Text.Json;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer as a user starts it: its own process, exit codes, what it prints and writes.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("trainer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TrainEvaluatePredict_OnDrawnDigits_Work()
    {
        Result train = Run("--dataset", "synthetic", "--model", "separable", "--limit", "600", "--epochs", "1", "--batch-size", "20", "--validation", "100", "--seed", "3");
        train.Code.Should().Be(0, train.Error);
        train.Output.Should().Contain("epoch  1/1").And.Contain("validation").And.Contain("synthetic").And.Contain("Confusion").And.NotContain("\u001b");
        string run = Directory.GetDirectories(Path.Combine(_folder, "runs")).Single();
        Directory.GetFiles(run).Select(Path.GetFileName).Should().BeEquivalentTo("model.safetensors", "history.csv", "summary.json");
        JsonElement summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).RootElement;
        summary.GetProperty("dataset").GetString().Should().Be("synthetic");
        summary.GetProperty("parameters").GetInt32().Should().Be(23_178);
        summary.GetProperty("epochs").GetInt32().Should().Be(1);
        double accuracy = summary.GetProperty("testAccuracy").GetDouble();
        accuracy.Should().BeGreaterThan(0.3);
        File.ReadAllLines(Path.Combine(run, "history.csv")).Should().HaveCount(2);

        Result evaluate = Run("evaluate", "--dataset", "synthetic");
        evaluate.Code.Should().Be(0, evaluate.Error);
        evaluate.Output.Should().Contain($"accuracy {accuracy.ToString("P2", System.Globalization.CultureInfo.InvariantCulture)}");

        Result predict = Run("predict", "7", "--dataset", "synthetic");
        predict.Code.Should().Be(0, predict.Error);
        predict.Output.Should().Contain("labelled 7").And.Contain("Read as").And.Contain("%");

        foreach (string format in (string[])["onnx", "safetensors"])
        {
            Result export = Run("export", "--format", format, "--to", $"exported.{format}");
            export.Code.Should().Be(0, export.Error);
            export.Output.Should().Contain($"exported.{format}");
        }

        string saved = Path.Combine(run, "model.safetensors");
        File.ReadAllBytes(Path.Combine(_folder, "exported.safetensors")).Should().Equal(File.ReadAllBytes(saved));
        Model.LoadOnnx(Path.Combine(_folder, "exported.onnx")).Parameters.SelectMany(parameter => parameter.Value.Span.ToArray())
            .Should().Equal(Model.Load(saved).Parameters.SelectMany(parameter => parameter.Value.Span.ToArray()));

        Result beyond = Run("predict", "10000", "--dataset", "synthetic");
        beyond.Code.Should().Be(1);
        beyond.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain("10000");
    }

    [Theory]
    [InlineData("--no-such-option")]
    [InlineData("--epochs", "0")]
    [InlineData("--epochs", "many")]
    [InlineData("--model", "resnet")]
    [InlineData("--learning-rate", "-1")]
    [InlineData("--threads", "0")]
    [InlineData("predict")]
    [InlineData("predict", "-4")]
    [InlineData("export")]
    [InlineData("export", "--format", "onnx")]
    [InlineData("export", "--format", "gguf", "--to", "x")]
    public void BadUsage_AnyCommand_IsExitCode2WithHelp(params string[] arguments)
    {
        Result result = Run(arguments);
        result.Code.Should().Be(2);
        result.Error.Should().Contain("Usage:");
        Directory.GetFileSystemEntries(_folder).Should().BeEmpty();
    }

    [Fact]
    public void Data_MissingOrBroken_IsOneLineAndExitCode1()
    {
        Fails("none", "--data", Path.Combine(_folder, "none"));
        string data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        Fails("train-images-idx3-ubyte", "--data", data);
        foreach (string name in (string[])["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
            File.WriteAllBytes(Path.Combine(data, name), [0, 0, 8, 1, 0, 0, 0, 1, 5]);

        Fails("swapped", "--data", data);
        File.WriteAllBytes(Path.Combine(data, "train-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3]);
        Fails("byte 19", "--data", data);
        Fails("no.safetensors", "evaluate", "--from", Path.Combine(_folder, "no.safetensors"));
        File.WriteAllText(Path.Combine(_folder, "bad"), "not a model");
        Fails("bad", "evaluate", "--dataset", "synthetic", "--from", Path.Combine(_folder, "bad"));
        Fails("train one", "evaluate", "--dataset", "synthetic");
        Fails("bad", "export", "--format", "onnx", "--to", "x", "--from", Path.Combine(_folder, "bad"));
        Directory.Exists(Path.Combine(_folder, "runs")).Should().BeFalse("nothing half-done is left");
    }

    private void Fails(string named, params string[] arguments)
    {
        Result result = Run(arguments);
        result.Code.Should().Be(1);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }

    private Result Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "MnistTrainer.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        start.Environment.Remove("NATIVECONV_DATA");
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, error.Result);
    }

    private sealed record Result(int Code, string Output, string Error);
}
