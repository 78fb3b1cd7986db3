using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

public sealed class ReadmeTests
{
    [Fact]
    public void Example_AsItStands_LearnsDigits()
    {
        (Evaluation evaluation, float[] probabilities) = ReadmeExample.Run();
        evaluation.Accuracy.Should().BeGreaterThan(0.9);
        probabilities.Sum().Should().BeApproximately(1, 1e-5f);
        probabilities.Should().HaveElementAt(7, probabilities.Max(), "image 7 of the drawn digits is a 7");
    }

    [Fact]
    public void Example_InTheReadme_IsTheOneThatRuns()
    {
        string[] source = [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "ReadmeExample.cs")).SkipWhile(line => !line.Contains("starts here", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.Contains("ends here", StringComparison.Ordinal)).Select(line => line[8..])];
        string[] readme = [.. MarkdownFile.Blocks("README.md").Single(block => block is { Heading: "Example", Language: "csharp" }).Lines
            .Where(line => line.Length > 0 && line != "using NativeConv;")];
        readme.Should().Equal(source);
        source.Length.Should().BeInRange(10, 20);
    }
}
