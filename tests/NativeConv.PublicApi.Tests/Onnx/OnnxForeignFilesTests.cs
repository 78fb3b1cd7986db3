using System.Runtime.InteropServices;
using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests.Onnx;

/// <summary>
/// Files that others wrote: models that PyTorch exported, with what it computed (<c>PyTorch/make_models.py</c> makes them), and ONNX' own test cases (<c>Backend/README.md</c>).
/// </summary>
public sealed class OnnxForeignFilesTests
{
    public static TheoryData<string> Files => [.. Names("PyTorch"), .. Names("Backend")];

    [Theory]
    [MemberData(nameof(Files))]
    public void LoadOnnx_FileAndItsValues_PredictsThem(string name)
    {
        Model model = Load(name);
        (float[] images, float[] expected) = Values(model, name);
        OnnxData.ShouldAgree(OnnxData.Predict(model, images), expected);
    }

    [Fact]
    public void Files_OfBothSources_AreThere()
    {
        Names("PyTorch").Should().HaveCountGreaterThan(10);
        Names("Backend").Should().HaveCountGreaterThan(50);
    }

    [Fact]
    public void LoadOnnx_PyTorchsActivations_AreLayersOfTheirOwn()
    {
        Model model = Load("PyTorch/activations");
        model.Nodes.Select(node => node.Layer).OfType<ActivationLayer>().Select(layer => layer.Function).Should().Equal(
            Activation.ReLU, Activation.ReLU6, Activation.LeakyReLU, Activation.Elu, Activation.Sigmoid, Activation.Tanh, Activation.SiLU, Activation.HardSwish,
            Activation.HardSigmoid, Activation.Gelu, Activation.HardSwish, Activation.HardSwish, Activation.Gelu);
        model.Nodes.Select(node => node.Layer.Kind).Distinct().Should().BeEquivalentTo("input", "conv2d", "activation", "add");
    }

    [Fact]
    public void LoadOnnx_PyTorchsNetwork_IsNamedByItsModulesAndTrainsOn()
    {
        Model model = Load("PyTorch/mobile");
        model.Parameters.Select(parameter => parameter.Name).Should().Contain(
            ["stem.0.kernel", "stem.1.running_var", "block.6.reduce.bias", "tail.3.layers.2.kernel", "head.bias"]);
        model.Nodes.Select(node => node.Layer.Kind).Should().Contain(["depthwise_conv2d", "batch_normalization", "multiply", "add", "dense"]);
        (float[] images, _) = Values(model, "PyTorch/mobile");
        int[] labels = [2, 0, 4];
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-2f), labels.Length);
        float first = session.Step(images, labels).Loss, last = first;
        for (int step = 0; step < 30; step++)
            last = session.Step(images, labels).Loss;

        last.Should().BeLessThan(first / 4);
    }

    private static Model Load(string name) => Model.LoadOnnx(PathOf(name + ".onnx"));

    /// <summary>Images and what is expected of them, in the library's layout.</summary>
    private static (float[] Images, float[] Outputs) Values(Model model, string name)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(PathOf(name + ".bin")));
        int count = values.Length / (model.InputShape.Length + model.OutputShape.Length), inputs = count * model.InputShape.Length;
        (count * (model.InputShape.Length + model.OutputShape.Length)).Should().Be(values.Length, "shapes must be the file's");
        return (OnnxData.ToChannelsLast(values[..inputs], model.InputShape), OnnxData.ToChannelsLast(values[inputs..], model.OutputShape));
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.GetFiles(PathOf(folder), "*.onnx").Select(file => $"{folder}/{Path.GetFileNameWithoutExtension(file)}").Order(StringComparer.Ordinal);

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "Onnx", name);
}
