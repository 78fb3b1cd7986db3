using System.Text;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>The guide's programs compile, run and print what the guide says; its commands fail as it shows.</summary>
public sealed class GuideTests : IDisposable
{
    private const string Guide = "guide.md";

    private readonly string _folder = Directory.CreateTempSubdirectory("guide-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Sections => [.. MarkdownFile.Blocks(Guide).Where(block => block.Language == "csharp").Select(block => block.Heading).Distinct()];

    [Theory]
    [MemberData(nameof(Sections))]
    public void Program_OfASection_PrintsWhatTheGuideShows(string heading)
    {
        CodeBlock[] blocks = [.. MarkdownFile.Blocks(Guide).Where(block => block.Heading == heading)];
        string output = GuideProgram.Run(blocks.Where(block => block.Language == "csharp"), _folder);
        string[] shown = [.. blocks.Where(block => block.Language == "text").SelectMany(block => block.Lines)];
        shown.Should().NotBeEmpty("what a program prints shows that it ran");
        output.TrimEnd().Split('\n').Should().Equal(shown);
    }

    [Fact]
    public void Commands_ThatFail_SayWhatTheGuideShows()
    {
        Prepare();
        string[] lines = [.. MarkdownFile.Blocks(Guide).Where(block => block.Language == "console").SelectMany(block => block.Lines)];
        lines.Should().HaveCountGreaterThan(12);
        for (int i = 0; i < lines.Length; i += 2)
        {
            const string Prompt = "$ MnistTrainer ";
            lines[i].Should().StartWith(Prompt);
            TrainerProcess.Result result = TrainerProcess.Run(_folder, lines[i][Prompt.Length..].Split(' '));
            result.Code.Should().Be(1, lines[i]);
            result.Error.TrimEnd().Should().Be(lines[i + 1]);
        }
    }

    /// <summary>The files that the guide's commands name.</summary>
    private void Prepare()
    {
        DigitFiles.Write(InFolder("data"), DrawnDigits.Create(60, seed: 1), DrawnDigits.Create(20, seed: 2));
        byte[] saved = Digits(10).SaveToBytes(), picture = [.. Enumerable.Range(0, 28 * 28).Select(i => (byte)i)];
        File.WriteAllBytes(InFolder("digits.safetensors"), saved);
        File.WriteAllBytes(InFolder("cut.safetensors"), saved[..^100]);
        File.WriteAllBytes(InFolder("corrupt.safetensors"), [.. saved[..20], (byte)'#', .. saved[21..]]);
        File.WriteAllBytes(InFolder("newer.safetensors"), Replaced(saved, "\"nativeconv.version\":\"1\"", "\"nativeconv.version\":\"2\""));
        File.WriteAllBytes(InFolder("weights.safetensors"), Replaced(saved, "\"nativeconv.version\"", "\"another.version...\""));
        Digits(5).Save(InFolder("five.safetensors"));
        PictureFile.WritePng(InFolder("picture.png"), picture, new(28, 28, 1));
        File.WriteAllBytes(InFolder("cut.png"), File.ReadAllBytes(InFolder("picture.png"))[..50]);
        PictureFile.WritePng(InFolder("paper.png"), [.. picture.Select(_ => (byte)255)], new(28, 28, 1));
        File.WriteAllText(InFolder("notes.txt"), "Seven is drawn with a bar.");
        TrainerProcess.Run(_folder, "train", "--data", "data", "--model", "keras", "--seed", "1", "--epochs", "1", "--batch-size", "10", "--stop-after-steps", "2", "--output", "run").Code.Should().Be(0);
        byte[] checkpoint = File.ReadAllBytes(InFolder("run/checkpoint.safetensors"));
        checkpoint[^1] ^= 1;
        Directory.CreateDirectory(InFolder("damaged"));
        File.WriteAllBytes(InFolder("damaged/checkpoint.safetensors"), checkpoint);
    }

    private static Model Digits(int classes) => new ModelBuilder(28, 28, 1).Conv2D(4, 3, stride: 2).ReLU().GlobalAveragePool2D().Dense(classes).Build(seed: 1);

    private static byte[] Replaced(byte[] file, string text, string by) => Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(file).Replace(text, by, StringComparison.Ordinal));

    private string InFolder(string name) => Path.Combine(_folder, name);
}
