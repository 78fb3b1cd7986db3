using System.Text.Json;
using FluentAssertions;
using MnistTrainer;
using Xunit;
using Result = NativeConv.PublicApi.Tests.TrainerProcess.Result;

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
        Directory.GetFiles(run).Select(Path.GetFileName).Should().BeEquivalentTo(
            "model.safetensors", "best.safetensors", "checkpoint.safetensors", "history.csv", "timing.csv", "run.json", "summary.json");
        JsonElement summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).RootElement;
        summary.GetProperty("dataset").GetString().Should().Be("synthetic");
        summary.GetProperty("parameters").GetInt32().Should().Be(23_178);
        summary.GetProperty("epochs").GetInt32().Should().Be(1);
        double accuracy = summary.GetProperty("testAccuracy").GetDouble();
        accuracy.Should().BeGreaterThan(0.3);
        summary.GetProperty("finished").GetBoolean().Should().BeTrue();
        summary.GetProperty("imagesPerSecond").GetDouble().Should().BePositive();
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

    [Fact]
    public void Recipe_Unknown_IsToldWhichThereAre()
    {
        Result result = Run("train", "--recipe", "resnet");
        result.Code.Should().Be(2);
        result.Error.Should().Contain("'resnet'").And.ContainAll(Recipes.Names.Select(name => $"'{name}'"));
    }

    [Theory]
    [InlineData("--no-such-option")]
    [InlineData("--epochs", "0")]
    [InlineData("--epochs", "many")]
    [InlineData("--model", "resnet")]
    [InlineData("--recipe", "best", "--model", "keras")]
    [InlineData("--augment", "much")]
    [InlineData("--learning-rate", "-1")]
    [InlineData("--threads", "0")]
    [InlineData("--checkpoint-every", "0")]
    [InlineData("--stop-after-steps", "none")]
    [InlineData("predict")]
    [InlineData("predict", "-4")]
    [InlineData("--dataset", "emnist")]
    [InlineData("--images", "here", "--dataset", "mnist")]
    [InlineData("evaluate", "--images", "here", "--data", "there")]
    [InlineData("--image-size", "20")]
    [InlineData("--images", "here", "--image-size", "0")]
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

    [Fact]
    public void OwnImages_OneFolderAClass_TrainAndAreRead()
    {
        string images = Path.Combine(_folder, "shapes");
        var random = new System.Random(1);
        for (int i = 0; i < 60; i++)
        {
            // Bright at the left and red, or bright at the right and blue.
            bool isRight = i % 2 == 1;
            WriteBitmap(
                Path.Combine(images, isRight ? "right" : "left", $"{i:D2}.bmp"), 14 + (i % 3), 15,
                (row, column) => ((column < 7) == isRight ? 0 : 150 + random.Next(100)) is var bright && isRight ? ((byte)0, (byte)0, (byte)bright) : ((byte)bright, (byte)0, (byte)0));
        }

        Fails("--image-size", "--images", images, "--epochs", "1");
        Result train = Run("--images", images, "--image-size", "12", "--model", "separable", "--epochs", "6", "--batch-size", "8", "--augment");
        train.Code.Should().Be(0, train.Error);
        train.Output.Should().Contain("48 training images, 12 test images").And.Contain("left").And.Contain("right");
        string run = Directory.GetDirectories(Path.Combine(_folder, "runs")).Single();
        JsonElement summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).RootElement;
        summary.GetProperty("testAccuracy").GetDouble().Should().BeGreaterThan(0.9);
        Result predict = Run("predict", "0", "--images", images, "--image-size", "12");
        predict.Output.Should().Contain("Read as left", predict.Error);
        Run("--resume").Output.Should().Contain("finished");
        Fails("--dataset is mnist, but the run", "--resume", "--dataset", "mnist");
        File.Delete(Path.Combine(run, "summary.json"));
        Result resumed = Run("--resume");
        resumed.Output.Should().Contain("48 training images", resumed.Error);
        Fails("12x12x1", "evaluate", "--images", images, "--image-size", "12", "--grey");
    }

    [Fact]
    public void OwnImages_MissingOrBroken_IsOneLineAndExitCode1()
    {
        string images = Path.Combine(_folder, "pictures");
        Fails("pictures", "--images", images);
        Directory.CreateDirectory(images);
        Fails("no folders", "--images", images);
        Directory.CreateDirectory(Path.Combine(images, "empty"));
        Fails("has no pictures", "--images", images);
        File.WriteAllText(Path.Combine(images, "empty", "a.png"), "not a picture");
        Fails("a.png", "--images", images);
        byte[] png = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsVNBzAAAAABJRU5ErkJggg==");
        File.WriteAllBytes(Path.Combine(images, "empty", "a.png"), png[..45]);
        Fails("a.png", "--images", images);
        File.WriteAllBytes(Path.Combine(images, "empty", "a.png"), png);
        Fails("too few pictures", "--images", images);
    }

    [Fact]
    public void Emnist_FolderOfTheUsers_GivesItsClasses()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        foreach ((string part, int count) in (ReadOnlySpan<(string, int)>)[("train", 60), ("test", 30)])
        {
            byte[] images = new byte[16 + (count * 784)], labels = new byte[8 + count];
            (images[2], images[3], images[7], images[11], images[15]) = (8, 3, (byte)count, 28, 28);
            (labels[2], labels[3], labels[7]) = (8, 1, (byte)count);
            for (int i = 0; i < count; i++)
            {
                labels[8 + i] = (byte)((i % 26) + 1);
                images[16 + (i * 784) + i] = 255;
            }

            File.WriteAllBytes(Path.Combine(data, $"emnist-letters-{part}-images-idx3-ubyte"), images);
            File.WriteAllBytes(Path.Combine(data, $"emnist-letters-{part}-labels-idx1-ubyte"), labels);
        }

        Result train = Run("--dataset", "emnist-letters", "--data", data, "--epochs", "1", "--model", "keras");
        train.Code.Should().Be(0, train.Error);
        train.Output.Should().Contain("emnist-letters: 60 training images, 30 test images").And.Contain("\nZ ");
    }

    private void Fails(string named, params string[] arguments)
    {
        Result result = Run(arguments);
        result.Code.Should().Be(1);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }

    private Result Run(params string[] arguments) => TrainerProcess.Run(_folder, arguments);

    /// <summary>A picture of 24 bits a pixel without compression, the lowest row first.</summary>
    private static void WriteBitmap(string path, int height, int width, Func<int, int, (byte Red, byte Green, byte Blue)> color)
    {
        int stride = ((width * 3) + 3) / 4 * 4;
        using var file = new BinaryWriter(new MemoryStream());
        file.Write("BM"u8);
        foreach (int number in (int[])[54 + (stride * height), 0, 54, 40, width, height, 1 | (24 << 16), 0, 0, 0, 0, 0, 0])
            file.Write(number);

        for (int row = height - 1; row >= 0; row--)
        {
            byte[] line = new byte[stride];
            for (int column = 0; column < width; column++)
                (line[(3 * column) + 2], line[(3 * column) + 1], line[3 * column]) = color(row, column);

            file.Write(line);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, ((MemoryStream)file.BaseStream).ToArray());
    }
}
