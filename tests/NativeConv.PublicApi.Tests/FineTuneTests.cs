using System.Text.Json;
using FluentAssertions;
using Xunit;
using Result = NativeConv.PublicApi.Tests.TrainerProcess.Result;

namespace NativeConv.PublicApi.Tests;

/// <summary>The sample trainer's <c>finetune</c>, and <c>--classes</c>, as a user starts them.</summary>
public sealed class FineTuneTests : IDisposable
{
    private static readonly string[] Quick = ["finetune", "--from", "model.safetensors", "--data", "data", "--epochs", "2", "--least-steps", "1", "--batch-size", "8"];

    private readonly string _folder = Directory.CreateTempSubdirectory("finetune-").FullName;

    public FineTuneTests()
    {
        DigitFiles.Write(Path.Combine(_folder, "data"), DrawnDigits.Create(120, seed: 1), DrawnDigits.Create(40, seed: 2));
        Digits().Save(Path.Combine(_folder, "model.safetensors"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void FineTune_SameClasses_KeepsTheHeadAndWhatIsFrozen()
    {
        Result result = Succeeds([.. Quick, "--freeze", "trunk", "norm*", "--rate-factor", "head=2", "--per-class", "5", "--output", "tuned"]);
        result.Output.Should().Contain("50 training images, 40 test images").And.Contain("The head is kept").And.Contain("Frozen: trunk, norm.")
            .And.Contain("Accuracy on test images before").And.Contain("epoch  2/2").And.Contain("Confusion").And.NotContain("\u001b");
        Model before = Digits(), after = Model.Load(Path.Combine(_folder, "tuned", "model.safetensors"));
        after.ClassNames.Should().Equal(before.ClassNames);
        foreach (Parameter parameter in after.Parameters)
        {
            bool same = parameter.Value.Span.SequenceEqual(before.Parameter(parameter.Name).Value.Span);
            same.Should().Be(!parameter.Name.StartsWith("head.", StringComparison.Ordinal), parameter.Name);
        }

        Summary("tuned", "model").GetString().Should().Be("model.safetensors");
        Summary("tuned", "parameters").GetInt64().Should().Be((4 * 100 * 10) + 10);
        Summary("tuned", "epochs").GetInt32().Should().Be(2);
        Summary("tuned", "finished").GetBoolean().Should().BeTrue();
        File.ReadAllLines(Path.Combine(_folder, "tuned", "history.csv")).Should().HaveCount(3);
        Succeeds([.. Quick, "--new-head", "--output", "again"]).Output.Should().Contain("The head is new, for 10 classes").And.NotContain("before");
    }

    [Fact]
    public void FineTune_OtherClasses_StartsANewHead()
    {
        Succeeds([.. Quick, "--classes", "5-9", "--output", "high"]).Output.Should().Contain("The head is new, for 5 classes");
        Model.Load(Path.Combine(_folder, "high", "model.safetensors")).ClassNames.Should().Equal("5", "6", "7", "8", "9");
        string accuracy = Summary("high", "testAccuracy").GetDouble().ToString("P2", System.Globalization.CultureInfo.InvariantCulture);
        string[] evaluate = ["evaluate", "--data", "data", "--from", Path.Combine("high", "model.safetensors")];
        Succeeds([.. evaluate, "--classes", "5-9"]).Output.Should().Contain($"accuracy {accuracy}");
        Fails("10 classes, but the model 5 outputs", evaluate);
    }

    [Fact]
    public void FineTune_StoppedAndResumed_EndsWithTheSameFiles()
    {
        string[] command = [.. Quick, "--freeze", "norm", "--classes", "0-4", "--augment", "--seed", "3"];
        Succeeds([.. command, "--output", "straight"]);
        Succeeds([.. command, "--output", "parts", "--stop-after-steps", "5", "--threads", "1"]).Output.Should().Contain("--resume --output parts");
        Summary("parts", "finished").GetBoolean().Should().BeFalse();
        Fails("frozen layers is norm there, but missing here", [.. Quick, "--classes", "0-4", "--augment", "--seed", "3", "--output", "parts", "--resume"]);
        Succeeds([.. command, "--output", "parts", "--resume", "--threads", "2"]).Output.Should().Contain("Going on after step 5");
        foreach (string name in (string[])["model.safetensors", "checkpoint.safetensors", "history.csv"])
            Read("parts", name).Should().Equal(Read("straight", name), name);

        Fails("no checkpoint", [.. command, "--output", "none", "--resume"]);
    }

    [Fact]
    public void FineTune_AgainstScratch_TellsEveryTrainingAndKeepsNoModel()
    {
        string[] command = [.. Quick, "--per-class", "2", "4", "--against-scratch", "--seeds", "2", "--seed", "7"];
        Result result = Succeeds([.. command, "--output", "table", "--threads", "2"]);
        result.Output.Should().Contain("as it is").And.Contain("fine-tuned").And.Contain("scratch").And.Contain("spread").And.Contain("4 images a class, scratch, seed 8:");
        string[] rows = File.ReadAllLines(Path.Combine(_folder, "table", "finetune.csv"));
        rows[0].Should().Be("images_per_class,start,seed,epochs,test_accuracy,test_loss");
        rows.Skip(1).Select(row => string.Join(",", row.Split(',')[..4])).Should().Equal(
            "0,as_it_is,,0", "2,fine_tuned,7,2", "2,fine_tuned,8,2", "2,scratch,7,2", "2,scratch,8,2", "4,fine_tuned,7,2", "4,fine_tuned,8,2", "4,scratch,7,2", "4,scratch,8,2");
        rows[2].Split(',')[5].Should().NotBe(rows[3].Split(',')[5], "another seed draws other images");
        Directory.GetFiles(Path.Combine(_folder, "table")).Should().ContainSingle();
        Succeeds([.. command, "--output", "again", "--threads", "1"]);
        Read("again", "finetune.csv").Should().Equal(Read("table", "finetune.csv"));
    }

    [Fact]
    public void FineTune_WithATeacher_LearnsFromIt()
    {
        new ModelBuilder(28, 28, 1).Conv2D(3, 9, stride: 9).Flatten().Dense(10).Build(1).Save(Path.Combine(_folder, "teacher.safetensors"));
        Succeeds([.. Quick, "--teacher", "teacher.safetensors", "--temperature", "2", "--teacher-weight", "1", "--output", "taught"]);
        Succeeds([.. Quick, "--output", "alone"]);
        Read("taught", "model.safetensors").Should().NotEqual(Read("alone", "model.safetensors"));
        Fails("teacher must take 28x28x1 and give 5 outputs", [.. Quick, "--classes", "0-4", "--teacher", "teacher.safetensors"]);
    }

    [Fact]
    public void Train_SomeClasses_SavesAndResumesThem()
    {
        string[] train = ["train", "--data", "data", "--model", "keras", "--classes", "2-3", "--epochs", "1", "--batch-size", "8"];
        Succeeds([.. train, "--output", "straight"]).Output.Should().Contain("24 training images, 8 test images");
        Succeeds([.. train, "--output", "parts", "--stop-after-steps", "2"]);
        Fails("--classes is 2-4, but the run in 'parts' was started with 2-3", "--resume", "--output", "parts", "--classes", "2-4");
        Succeeds("train", "--resume", "--output", "parts");
        Read("parts", "model.safetensors").Should().Equal(Read("straight", "model.safetensors"));
        Model.Load(Path.Combine(_folder, "parts", "model.safetensors")).ClassNames.Should().Equal("2", "3");
    }

    [Fact]
    public void FineTune_ThatCannotBe_IsOneLineAndExitCode1()
    {
        Fails("named 'block1/*'; there are trunk, norm, head", [.. Quick, "--freeze", "block1/*"]);
        Fails("named 'tail'; there are trunk, norm, head", [.. Quick, "--rate-factor", "tail=0.1"]);
        Fails("every layer with parameters is frozen", [.. Quick, "--freeze", "*"]);
        Fails("--classes is 5-12, but the data set has classes 0 to 9", [.. Quick, "--classes", "5-12"]);
        Fails("--output must be another folder", [.. Quick, "--output", "."]);
        Fails("no.safetensors", "finetune", "--from", "no.safetensors", "--data", "data");
        Fails("data/none", "finetune", "--from", "model.safetensors", "--data", "data/none");
        Fails("train-images", "finetune", "--from", "data/train-images-idx3-ubyte", "--data", "data");
        new ModelBuilder(28, 28, 1).Conv2D(10, 3).BatchNormalization(name: "last").GlobalAveragePool2D().Build().Save(Path.Combine(_folder, "headless.safetensors"));
        Fails("this model ends in 'last', batch_normalization", "finetune", "--from", "headless.safetensors", "--data", "data");
        new ModelBuilder(20, 20, 1).Flatten().Dense(10).Build().Save(Path.Combine(_folder, "small.safetensors"));
        Fails("takes images of 20x20x1", "finetune", "--from", "small.safetensors", "--data", "data");
        File.WriteAllBytes(Path.Combine(_folder, "cut.safetensors"), Read("", "model.safetensors")[..^9]);
        Fails("cut.safetensors, byte", "finetune", "--from", "cut.safetensors", "--data", "data");
    }

    [Theory]
    [InlineData("--per-class", "0")]
    [InlineData("--per-class", "10", "many")]
    [InlineData("--seeds", "0")]
    [InlineData("--epochs", "none")]
    [InlineData("--rate-factor", "head")]
    [InlineData("--rate-factor", "head=-1")]
    [InlineData("--learning-rate", "NaN")]
    [InlineData("--temperature", "2")]
    [InlineData("--teacher", "t", "--temperature", "0")]
    [InlineData("--teacher", "t", "--teacher-weight", "1.5")]
    [InlineData("--classes", "5-2")]
    [InlineData("--classes", "a-b")]
    [InlineData("--resume", "--seeds", "3")]
    [InlineData("--resume", "--against-scratch")]
    [InlineData("--validation", "10")]
    public void BadUsage_OfFineTune_IsExitCode2WithHelp(params string[] arguments)
    {
        Result result = TrainerProcess.Run(_folder, ["finetune", .. arguments]);
        result.Code.Should().Be(2);
        result.Error.Should().Contain("Usage:");
        Directory.Exists(Path.Combine(_folder, "runs")).Should().BeFalse();
    }

    private static Model Digits() => new ModelBuilder(28, 28, 1).Normalize(scale: 1f / 255).Conv2D(4, 3, stride: 3, name: "trunk", useBias: false).BatchNormalization(name: "norm").ReLU()
        .Flatten().Dense(10, name: "head").ClassNames(Enumerable.Range(0, 10).Select(digit => $"{digit}")).Build(seed: 4);

    private JsonElement Summary(string run, string key) => JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, run, "summary.json"))).RootElement.GetProperty(key);

    private byte[] Read(string run, string name) => File.ReadAllBytes(Path.Combine(_folder, run, name));

    private Result Succeeds(params string[] arguments)
    {
        Result result = TrainerProcess.Run(_folder, arguments);
        result.Code.Should().Be(0, result.Error);
        return result;
    }

    private void Fails(string named, params string[] arguments)
    {
        Result result = TrainerProcess.Run(_folder, arguments);
        result.Code.Should().Be(1);
        result.Error.Trim().Split('\n').Should().ContainSingle().Which.Should().Contain(named);
    }
}
