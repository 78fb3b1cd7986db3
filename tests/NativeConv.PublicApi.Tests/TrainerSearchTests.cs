using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer searching for settings.</summary>
public sealed class TrainerSearchTests : IDisposable
{
    private static readonly string[] Searching =
        ["train", "--data", "data", "--model", "keras", "--epochs", "2", "--batch-size", "8", "--seed", "5", "--search", "--search-trials", "4"];

    private readonly string _folder = Directory.CreateTempSubdirectory("search-").FullName;

    public TrainerSearchTests() => DigitFiles.Write(Path.Combine(_folder, "data"), DrawnDigits.Create(100, seed: 1), DrawnDigits.Create(20, seed: 2));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Search_FourTrials_TrainsWithTheBestAndIsTheSameEveryTime()
    {
        TrainerProcess.Result first = Run([.. Searching, "--output", "first", "--threads", "1"]);
        first.Code.Should().Be(0, first.Error);
        first.Output.Should().Contain("4 trials of up to 2 epochs, 90 images to train on, 10 held out").And.Contain("Tried, the best first:");
        string[][] rows = [.. File.ReadAllLines(InFolder("first/search.csv")).Select(line => line.Split(','))];
        rows[0].Should().Equal("trial", "learning rate", "batch size", "width", "parameters", "epochs", "accuracy", "loss");
        rows.Should().HaveCount(5);
        rows.Skip(1).Select(row => row[0]).Should().BeEquivalentTo("1", "2", "3", "4");
        rows.Skip(1).Should().OnlyContain(row => row[2] == "8", "the batch size was set");
        rows.Skip(1).Select(row => row[5]).Should().Equal("2", "2", "1", "1");
        Accuracy(rows[1]).Should().BeGreaterThanOrEqualTo(Accuracy(rows[2]));
        first.Output.Should().Contain($"learning rate {rows[1][1]}, width {rows[1][3]}, seed 5");
        JsonElement summary = JsonDocument.Parse(File.ReadAllText(InFolder("first/summary.json"))).RootElement;
        summary.GetProperty("parameters").GetInt64().Should().Be(long.Parse(rows[1][4], CultureInfo.InvariantCulture));

        // The training that follows may stop and go on, with what was found.
        Run([.. Searching, "--output", "second", "--threads", "2", "--stop-after-steps", "5"]).Code.Should().Be(0);
        TrainerProcess.Result resumed = Run(["train", "--resume", "--output", "second", "--threads", "1"]);
        resumed.Code.Should().Be(0, resumed.Error);
        foreach (string name in (string[])["search.csv", "model.safetensors"])
            File.ReadAllBytes(InFolder($"second/{name}")).AsSpan().SequenceEqual(File.ReadAllBytes(InFolder($"first/{name}"))).Should().BeTrue(name);
    }

    [Fact]
    public void Search_TooFewImagesOrHopelessRates_IsOneLineAndExitCode1()
    {
        Fails("too few to hold some out", "--search", "--data", "data", "--limit", "1");
        Fails("set a lower --learning-rate", "--search", "--data", "data", "--search-trials", "2", "--epochs", "1", "--learning-rate", "1000", "--model", "section43", "--batch-size", "4");
    }

    private static double Accuracy(string[] row) => double.Parse(row[6], CultureInfo.InvariantCulture);

    private void Fails(string named, params string[] arguments)
    {
        TrainerProcess.Result result = Run(arguments);
        result.Code.Should().Be(1, result.Output);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
        File.Exists(Path.Combine(_folder, "runs", "model.safetensors")).Should().BeFalse();
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private TrainerProcess.Result Run(params string[] arguments) => TrainerProcess.Run(_folder, arguments);
}
