using FluentAssertions;
using Microsoft.ML.OnnxRuntime;
using MnistTrainer;
using NativeConv.PublicApi.Tests.Onnx;
using Xunit;

namespace NativeConv.Onnx.Tests;

/// <summary>What ONNX Runtime makes of exported models. Outside the solution: the runtime is a download of 150 MB.</summary>
public sealed class OnnxRuntimeTests
{
    private const int RandomGraphs = 200;

    public static TheoryData<string> Samples => [.. SampleModels.Names];

    public static TheoryData<string> TrainersRecipes => [.. Recipes.Names];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Run_EveryLayer_AgreesWithPredict(string name) => Check(SampleModels.Build(name), name);

    [Theory]
    [MemberData(nameof(TrainersRecipes))]
    public void Run_TrainersRecipes_AgreeWithPredict(string name) => Check(Recipes.Get(name).Build(5), name);

    [Fact]
    public void Run_RandomGraphs_AgreeWithPredict()
    {
        for (int seed = 0; seed < RandomGraphs; seed++)
            Check(SampleModels.Random(seed), $"seed {seed}");
    }

    private static void Check(Model model, string name)
    {
        using var file = new MemoryStream();
        model.SaveOnnx(file);
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(file.ToArray(), options);
        session.InputNames.Should().Equal("input");
        session.OutputNames.Should().Equal("output");
        foreach (int count in (int[])[1, 5])
        {
            float[] images = OnnxData.Images(model, count, seed: count);
            (float[] actual, long[] dimensions) = Run(session, images, model.InputShape, count);
            float[] expected = OnnxData.Predict(model, images);
            ImageShape output = model.OutputShape;
            long[] vector = [count, output.Length], image = [count, output.Channels, output.Height, output.Width];
            dimensions.Should().Equal(output.Pixels == 1 ? vector : image, name);
            OnnxData.ShouldAgree(OnnxData.ToChannelsLast(actual, output), expected, $"of {name}, batch {count}, ");
        }
    }

    private static (float[] Values, long[] Dimensions) Run(InferenceSession session, float[] images, ImageShape shape, int count)
    {
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(
            OnnxData.ToChannelsFirst(images, shape), [count, shape.Channels, shape.Height, shape.Width]);
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, session.InputNames, [input], session.OutputNames);
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }
}
