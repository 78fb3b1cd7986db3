using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Support;

public sealed class GoldenCasesTests
{
    [Fact]
    public void All_Cases_AreCounted() =>
        GoldenCases.All.CountBy(golden => golden.Op).Should().BeEquivalentTo(new Dictionary<string, int>
        {
            ["conv"] = 49,
            ["depthwise"] = 59,
            ["maxpool"] = 12,
            ["avgpool"] = 12,
            ["global_avgpool"] = 1,
            ["batchnorm"] = 3,
            ["activation"] = 10,
            ["softmax_cross_entropy"] = 7,
            ["dense"] = 4,
            ["optimizer"] = 7,
            ["network"] = 3,
        }).And.Subject.Sum(op => op.Value).Should().Be(167);

    [Fact]
    public void Tensors_OfEveryCase_HaveAsManyFiniteValuesAsTheirShape()
    {
        foreach (GoldenCase golden in GoldenCases.All)
        {
            foreach (string tensor in golden.Tensors)
            {
                golden[tensor].Should().HaveCount(golden.Shape(tensor).Aggregate(1, (a, b) => a * b), "{0} {1}", golden, tensor);
                golden[tensor].Should().OnlyContain(value => float.IsFinite(value), "{0} {1}", golden, tensor);
            }
        }
    }

    [Fact]
    public void ShouldMatch_StoredValues_Passes() => Relu.ShouldMatch(Relu["y"], "y");

    [Theory]
    [InlineData(1e-3f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ShouldMatch_OneWrongValue_NamesIt(float error)
    {
        float[] y = Relu["y"];
        y[5] += error;
        FluentActions.Invoking(() => Relu.ShouldMatch(y, "y")).Should().Throw<GoldenMismatchException>().WithMessage("*1 of 68*at [5]*");
    }

    [Fact]
    public void ShouldMatch_WrongLength_Fails() =>
        FluentActions.Invoking(() => Relu.ShouldMatch(new float[67], "y"))
            .Should().Throw<GoldenMismatchException>().WithMessage("*68 values, but 67*");

    [Fact]
    public void Of_UnknownOp_Throws() =>
        FluentActions.Invoking(() => GoldenCases.Of("convolution")).Should().Throw<ArgumentException>();

    private static GoldenCase Relu => GoldenCases.Load("relu");
}
