using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

public sealed class GoldenNetworkTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "network", MemberType = typeof(GoldenCases))]
    public void ThreeSteps_Golden_Match(string name, SimdLevel level) =>
        new GoldenNetwork(GoldenCases.Load(name)).CheckThreeSteps(new() { Level = level, ThreadCount = 2 });

    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "network", MemberType = typeof(GoldenCases))]
    public void ByHand_OneForward_GivesTheGoldenLogitsAndTheSessionsGradients(string name, SimdLevel level)
    {
        GoldenCase golden = GoldenCases.Load(name);
        var network = new GoldenNetwork(golden);
        network.Model.Execution = new() { Level = level, ThreadCount = 1 };
        float[] logits = new float[golden["logits"].Length], gradient = new float[logits.Length];
        network.Model.ZeroGradients();
        network.Model.Forward(network.Images, logits);
        golden.ShouldMatch(logits, "logits");
        Loss.SoftmaxCrossEntropy().Evaluate(logits, network.Labels, gradient);
        network.Model.Backward(gradient);
        float[] byHand = [.. network.Parameters.SelectMany(p => p.Parameter.Gradient!.Span.ToArray())];
        var twin = new GoldenNetwork(golden);
        twin.Model.Execution = new() { Level = level, ThreadCount = 2 };
        twin.Model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(), twin.Labels.Length).Step(twin.Images, twin.Labels);
        twin.Parameters.SelectMany(p => p.Parameter.Gradient!.Span.ToArray()).Should().Equal(byHand);
    }
}
