using FluentAssertions;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Graph;

public sealed class GoldenNetworkTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.OfAtEveryLevel), "network", MemberType = typeof(GoldenCases))]
    public void ThreeSteps_Golden_Match(string name, SimdLevel level)
    {
        GoldenCase golden = GoldenCases.Load(name);
        var network = new GoldenNetwork(golden);
        network.Model.Execution = new() { Level = level, ThreadCount = 2 };
        TrainingSession session = network.Model.BeginTraining(Loss.SoftmaxCrossEntropy(), new Adam(1e-3f, epsilon: 1e-3f), network.Labels.Length);
        var losses = new float[3];
        for (int step = 0; step < losses.Length; step++)
        {
            losses[step] = session.Step(network.Images, network.Labels).Loss;
            if (step > 0)
                continue;

            foreach ((string parameter, Parameter of) in network.Parameters.Where(p => golden.Has($"grad.{p.Golden}")))
                golden.ShouldMatch(of.Gradient!.Span, $"grad.{parameter}");
        }

        golden.ShouldMatch(losses, "losses");
        foreach ((string parameter, Parameter of) in network.Parameters.Where(p => golden.Has($"after3.{p.Golden}")))
            golden.ShouldMatch(of.Value.Span, $"after3.{parameter}");
    }

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
