using FluentAssertions;
using Xunit;
using Xunit.Sdk;

namespace NativeConv.Tests.Support;

public sealed class GradientCheckTests
{
    private static readonly float[] Point = TestData.Uniform(100, seed: 1);

    [Fact]
    public void Verify_RightGradient_Passes() => GradientCheck.Verify(SumOfCubes, Point, Gradient());

    [Theory]
    [InlineData(1.001f)]
    [InlineData(float.NaN)]
    public void Verify_WrongScale_Throws(float scale)
    {
        float[] wrong = Array.ConvertAll(Gradient(), slope => slope * scale);
        FluentActions.Invoking(() => GradientCheck.Verify(SumOfCubes, Point, wrong)).Should().Throw<XunitException>();
    }

    [Fact]
    public void Verify_OneWrongEntryAmongAll_Throws()
    {
        float[] wrong = Gradient();
        wrong[63] += 0.01f;
        FluentActions.Invoking(() => GradientCheck.Verify(SumOfCubes, Point, wrong, entries: 100))
            .Should().Throw<XunitException>().WithMessage("*entry 63*");
    }

    [Fact]
    public void Verify_AllZerosWhereThereIsASlope_Throws() =>
        FluentActions.Invoking(() => GradientCheck.Verify(SumOfCubes, Point, new float[100])).Should().Throw<XunitException>();

    private static double SumOfCubes(double[] x) => x.Sum(value => value * value * value);

    private static float[] Gradient() => Array.ConvertAll(Point, value => 3 * value * value);
}
