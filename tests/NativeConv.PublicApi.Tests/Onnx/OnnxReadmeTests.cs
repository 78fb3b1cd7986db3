using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests.Onnx;

public sealed class OnnxReadmeTests
{
    [Fact]
    public void Example_AsItStands_KeepsWhatTheModelPredicts()
    {
        SampleModels.Build("class_names").Save("network.safetensors");
        (Model model, Model same) = OnnxReadmeExample.Run();
        float[] images = OnnxData.Images(model, 2, seed: 1);
        OnnxData.Predict(same, images).Should().Equal(OnnxData.Predict(model, images));
    }

    [Fact]
    public void Example_InThePackagesReadme_IsTheOneThatRuns()
    {
        string[] source = [.. File.ReadAllLines(Beside("OnnxReadmeExample.cs")).SkipWhile(line => !line.Contains("starts here", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.Contains("ends here", StringComparison.Ordinal)).Select(line => line[8..])];
        string[] readme = [.. File.ReadAllLines(Beside("README.md")).SkipWhile(line => line != "```csharp").Skip(1)
            .TakeWhile(line => line != "```").Where(line => line.Length > 0 && line != "using NativeConv;")];
        readme.Should().Equal(source).And.HaveCountGreaterThan(2);
    }

    private static string Beside(string name) => Path.Combine(AppContext.BaseDirectory, "Onnx", name);
}
