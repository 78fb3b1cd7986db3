using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Optimizers;

public sealed class WeightDecayTests
{
    [Fact]
    public void AdamW_WithoutGradients_ShrinksKernelsAlone()
    {
        Model model = EveryLayer.Build(seed: 4);
        foreach (Parameter parameter in model.Parameters)
            TestData.Uniform(parameter.Value.Length, 5, 0.5f, 1).CopyTo(parameter.Value.Span);

        Dictionary<string, float[]> before = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Span.ToArray());
        model.ZeroGradients();
        model.Step(new AdamW(learningRate: 0.1f, weightDecay: 0.5f));
        foreach (Parameter parameter in model.Parameters)
        {
            float keep = parameter.Role == ParameterRole.Kernel ? 1 - (0.1f * 0.5f) : 1;
            parameter.Value.Span.ToArray().Should().Equal(before[parameter.Name].Select(value => keep * value), "{0} is a {1}", parameter.Name, parameter.Role);
        }

        model.Parameters.Select(parameter => parameter.Role).Distinct().Should().BeEquivalentTo(
            [ParameterRole.Kernel, ParameterRole.Bias, ParameterRole.Gamma, ParameterRole.Beta, ParameterRole.RunningMean, ParameterRole.RunningVariance]);
    }
}
