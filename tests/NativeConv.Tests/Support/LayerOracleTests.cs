using FluentAssertions;
using Xunit;
using static NativeConv.Tests.Support.LayerOracle;

namespace NativeConv.Tests.Support;

public sealed class LayerOracleTests
{
    [Theory]
    [MemberData(nameof(GoldenCases.Of), "maxpool", MemberType = typeof(GoldenCases))]
    public void MaxPool_GoldenCase_MatchesWithGradient(string name) => CheckPool(GoldenCases.Load(name), MaxPool);

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "avgpool", MemberType = typeof(GoldenCases))]
    public void AveragePool_GoldenCase_MatchesWithGradient(string name) => CheckPool(GoldenCases.Load(name), AveragePool);

    [Fact]
    public void GlobalAveragePool_GoldenCase_MatchesWithGradient()
    {
        GoldenCase golden = GoldenCases.Load("global_avgpool");
        int[] shape = golden.Shape("x");
        Check(golden, x => GlobalAveragePool(shape[0], shape[1] * shape[2], shape[3], x), "x");
    }

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "batchnorm", MemberType = typeof(GoldenCases))]
    public void BatchNormalization_GoldenCase_MatchesWithGradients(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        double epsilon = golden.Double("epsilon");
        double[] x = Wide(golden, "x"), gamma = Wide(golden, "gamma"), beta = Wide(golden, "beta");
        Check(golden, value => BatchNormalization(value, gamma, beta, epsilon), "x");
        Check(golden, value => BatchNormalization(x, value, beta, epsilon), "gamma");
        Check(golden, value => BatchNormalization(x, gamma, value, epsilon), "beta");

        double[] zeros = new double[gamma.Length], ones = Array.ConvertAll(zeros, _ => 1.0);
        (double[] mean, double[] variance) = UpdateRunning(zeros, ones, x, golden.Double("momentum"));
        golden.ShouldMatch(mean, "running_mean");
        golden.ShouldMatch(variance, "running_var");
        golden.ShouldMatch(BatchNormalization(x, gamma, beta, mean, variance, epsilon), "y_inference");
    }

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "activation", MemberType = typeof(GoldenCases))]
    public void Activation_GoldenCase_Matches(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        string function = golden.Text("function");
        golden.ShouldMatch(Activation(function, Wide(golden, "x")), "y");

        // A difference quotient says nothing at a kink.
        int[] smooth = [.. Enumerable.Range(0, golden["x"].Length).Where(i => golden["x"][i] is not (0 or 3 or -3 or 6))];
        float[] Pick(string tensor) => Array.ConvertAll(smooth, i => golden[tensor][i]);
        GradientCheck.Verify(
            GradientCheck.Weighted(x => Activation(function, x), Pick("dy")), Pick("x"), Pick("dx"), entries: smooth.Length);
    }

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "dense", MemberType = typeof(GoldenCases))]
    public void Dense_GoldenCase_MatchesWithGradients(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        int inputs = golden.Shape("w")[0], outputs = golden.Shape("w")[1];
        double[] x = Wide(golden, "x"), w = Wide(golden, "w"), b = Wide(golden, "b");
        Check(golden, value => Dense(value, w, b, inputs, outputs), "x");
        Check(golden, value => Dense(x, value, b, inputs, outputs), "w");
        Check(golden, value => Dense(x, w, value, inputs, outputs), "b");
    }

    [Theory]
    [MemberData(nameof(GoldenCases.Of), "softmax_cross_entropy", MemberType = typeof(GoldenCases))]
    public void SoftmaxCrossEntropy_GoldenCase_MatchesWithGradient(string name)
    {
        GoldenCase golden = GoldenCases.Load(name);
        int classes = golden.Shape("logits")[1];
        int[] labels = Array.ConvertAll(golden["labels"], label => (int)label);
        double Loss(double[] logits) => SoftmaxCrossEntropy(logits, labels, classes, golden.Double("label_smoothing"));

        golden.ShouldMatch(Softmax(Wide(golden, "logits"), classes), "probabilities");
        golden.ShouldMatch([Loss(Wide(golden, "logits"))], "loss");
        GradientCheck.Verify(Loss, golden["logits"], golden["dlogits"]);
    }

    [Fact]
    public void Multiply_GateOfAChannel_ScalesEveryPixelOfIt() =>
        Multiply(2, 2, [1, 2, 3, 4, 5, 6, 7, 8], [10, 100, 1000, 10000])
            .Should().Equal(10, 200, 30, 400, 5000, 60000, 7000, 80000);

    [Fact]
    public void Concat_TwoInputs_JoinsTheirChannels() =>
        Concat(2, [1, 2], [3, 4, 5, 6]).Should().Equal(1, 3, 4, 2, 5, 6);

    [Fact]
    public void Add_ThreeInputs_SumsThem() => Add([1, 2], [10, 20], [100, 200]).Should().Equal(111, 222);

    /// <summary>Digits from the tables of Abramowitz and Stegun and from 50-digit arithmetic.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1e-10, 1.1283791670955126e-10)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1, 0.8427007929497149)]
    [InlineData(2, 0.9953222650189527)]
    [InlineData(3, 0.9999779095030014)]
    [InlineData(4, 0.9999999845827421)]
    [InlineData(7, 1)]
    public void Erf_KnownValue_Matches(double x, double expected)
    {
        Erf(x).Should().BeApproximately(expected, 4e-16 * Math.Max(1e-9, expected));
        Erf(-x).Should().Be(-Erf(x));
    }

    private static void CheckPool(GoldenCase golden, Func<PoolingCase, double[], double[]> pool)
    {
        int[] shape = golden.Shape("x");
        var sizes = new PoolingCase(shape[0], golden.Geometry, shape[3]);
        golden.Shape("y").Should().Equal(shape[0], sizes.Geometry.OutputHeight, sizes.Geometry.OutputWidth, shape[3]);
        Check(golden, x => pool(sizes, x), "x", entries: 8);
    }

    /// <summary>The forward pass against y, and its gradient in one tensor by difference quotients.</summary>
    private static void Check(GoldenCase golden, Func<double[], double[]> forward, string tensor, int entries = 24)
    {
        golden.ShouldMatch(forward(Wide(golden, tensor)), "y");
        GradientCheck.Verify(
            GradientCheck.Weighted(forward, golden["dy"]), golden[tensor], golden["d" + tensor], entries: entries, name: tensor);
    }

    private static double[] Wide(GoldenCase golden, string tensor) => TestData.ToDouble(golden[tensor]);
}
