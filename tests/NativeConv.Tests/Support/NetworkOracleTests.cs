using Xunit;

namespace NativeConv.Tests.Support;

public sealed class NetworkOracleTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.Of), "network", MemberType = typeof(GoldenCases))]
    public void Logits_GoldenCase_Match(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        golden.ShouldMatch(new NetworkOracle(golden).Logits(), "logits");
    }

    /// <summary>A few entries of each parameter: enough to tell a wrong gradient from a right one, and quick.</summary>
    [Theory]
    [InlineData("keras_listing", 3)]
    [InlineData("section_4_3", 3)]
    [InlineData("separable_dilated_bn", 1)]
    public void Loss_GoldenCase_HasTheStoredGradients(string name, int entries)
    {
        GoldenCase golden = GoldenCases.Load(name);
        var network = new NetworkOracle(golden);
        foreach (string tensor in golden.Tensors.Where(tensor => tensor.StartsWith("grad.", StringComparison.Ordinal)))
        {
            string parameter = tensor["grad.".Length..];
            GradientCheck.Verify(
                value => network.Loss(parameter, value), golden[$"init.{parameter}"], golden[tensor], entries: entries, name: parameter);
        }
    }
}
