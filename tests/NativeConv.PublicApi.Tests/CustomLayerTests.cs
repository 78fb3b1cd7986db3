using FluentAssertions;
using Xunit;

namespace NativeConv.PublicApi.Tests;

/// <summary>A layer of a consumer's own: y = x * scale[c], one trained number a channel.</summary>
public sealed class ChannelScale : CustomLayer
{
    public override string Kind => "channel_scale";

    public override ImageShape OutputShape(ReadOnlySpan<ImageShape> inputs) => inputs[0];

    public override IReadOnlyList<ParameterDescription> Parameters(ReadOnlySpan<ImageShape> inputs) =>
        [new("scale", new TensorShape(inputs[0].Channels), ParameterRole.Gamma)];

    public override void Forward(in LayerForward call)
    {
        ReadOnlySpan<float> x = call.Input();
        Span<float> y = call.Output;
        int channels = call.OutputShape.Channels;
        ReadOnlySpan<float> scale = call.Parameter(0);
        for (int i = 0; i < y.Length; i++)
            y[i] = x[i] * scale[i % channels];
    }

    public override void Backward(in LayerBackward call)
    {
        ReadOnlySpan<float> x = call.Input(), dy = call.OutputGradient;
        Span<float> dx = call.InputGradient();
        int channels = call.OutputShape.Channels;
        ReadOnlySpan<float> scale = call.Parameter(0);
        Span<float> gradient = call.ParameterGradient(0);
        for (int i = 0; i < dy.Length; i++)
        {
            gradient[i % channels] += x[i] * dy[i];
            if (!dx.IsEmpty)
                dx[i] = dy[i] * scale[i % channels];
        }
    }
}

public sealed class CustomLayerTests
{
    [Fact]
    public void Layer_FromOutside_TrainsSavesAndLoads()
    {
        Model model = new ModelBuilder(2, 2, 3).Conv2D(5, 1).Layer(new ChannelScale()).Flatten().Dense(2).Build(1);
        model.Parameters.Select(parameter => parameter.Name).Should().Contain("channel_scale.scale");
        float[] images = [.. Enumerable.Range(0, 8 * 12).Select(i => MathF.Sin(i * i))];
        int[] labels = [0, 1, 0, 1, 0, 1, 0, 1];
        TrainingSession session = model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(0.02f), batchSize: 8);
        float first = session.Step(images, labels).Loss, last = first;
        for (int step = 0; step < 200; step++)
            last = session.Step(images, labels).Loss;

        last.Should().BeLessThan(first / 2);
        model.Parameter("channel_scale.scale").Value.Span.ToArray().Should().NotContain(1f);

        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            model.Save(file);
            Model loaded = Model.Load(file, new Dictionary<string, Func<LayerConfiguration, Layer>> { ["channel_scale"] = _ => new ChannelScale() });
            float[] expected = new float[16], actual = new float[16];
            model.Predict(images, expected);
            loaded.Predict(images, actual);
            actual.Should().Equal(expected);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Layer_FromOutside_Frozen_PassesGradientsOnAndStaysAsItIs()
    {
        Model model = new ModelBuilder(2, 2, 3).Conv2D(5, 1).Layer(new ChannelScale()).Flatten().Dense(2).Build(1), frozen = model.Clone();
        frozen.Freeze("channel_scale");
        float[] images = [.. Enumerable.Range(0, 8 * 12).Select(i => MathF.Sin(i * i))], outputs = new float[16];
        foreach (Model run in (Model[])[model, frozen])
        {
            run.Forward(images, outputs);
            run.Backward(outputs);
        }

        frozen.Parameter("channel_scale.scale").Gradient!.Span.ToArray().Should().OnlyContain(value => value == 0);
        foreach (string name in (string[])["conv2d.kernel", "conv2d.bias", "dense.kernel", "dense.bias"])
            frozen.Parameter(name).Gradient!.Span.ToArray().Should().Equal(model.Parameter(name).Gradient!.Span.ToArray(), name);
    }

    [Fact]
    public void Layer_FromOutside_HasTheGradientOfDifferences()
    {
        Model model = new ModelBuilder(2, 2, 2).Conv2D(3, 1).Layer(new ChannelScale()).Flatten().Dense(2).Build(3);
        float[] images = [.. Enumerable.Range(0, 3 * 8).Select(i => MathF.Cos(i * i))], outputs = new float[6], gradient = new float[6];
        int[] labels = [0, 1, 1];
        Loss loss = Loss.SoftmaxCrossEntropy();
        model.ZeroGradients();
        model.Forward(images, outputs);
        loss.Evaluate(outputs, labels, gradient);
        model.Backward(gradient);
        Parameter scale = model.Parameter("channel_scale.scale");
        for (int c = 0; c < 3; c++)
        {
            float kept = scale.Value.Span[c];
            float at(float value)
            {
                scale.Value.Span[c] = value;
                model.Predict(images, outputs);
                return loss.Evaluate(outputs, labels);
            }

            float slope = (at(kept + 1e-2f) - at(kept - 1e-2f)) / 2e-2f;
            scale.Value.Span[c] = kept;
            scale.Gradient!.Span[c].Should().BeApproximately(slope, 1e-3f);
        }
    }
}
