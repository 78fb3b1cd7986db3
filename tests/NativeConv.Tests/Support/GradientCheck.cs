using Xunit.Sdk;

namespace NativeConv.Tests.Support;

/// <summary>Central differences of a double-precision function against a float32 gradient.</summary>
public static class GradientCheck
{
    private const double Step = 1e-6;

    private const double UnitInLastPlace = 1.0 / (1L << 52);

    /// <summary>How far a gradient may be off, as a share of the largest one.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>
    /// Asserts that the gradient of <paramref name="loss"/> at <paramref name="at"/> is <paramref name="gradient"/> within 1e-4 of the
    /// largest gradient and the rounding of the loss, at entries drawn at random (all of them where there are no more than that). Where a gradient vanishes
    /// by cancelling, as a bias's before batch normalization does, <paramref name="floor"/> stands for the largest.
    /// </summary>
    public static void Verify(
        Func<double[], double> loss,
        ReadOnlySpan<float> at,
        ReadOnlySpan<float> gradient,
        ulong seed = 0,
        int entries = 24,
        string name = "the input",
        double floor = 0)
    {
        if (at.Length != gradient.Length)
            throw new XunitException($"The gradient of {name} has {gradient.Length} values, but should have {at.Length}.");

        double[] point = TestData.ToDouble(at);
        int[] chosen = Choose(at.Length, seed, entries);
        double[] slopes = Array.ConvertAll(chosen, entry => Slope(loss, point, entry));

        // Where all slopes vanish, the last bit of the loss is what is left of a difference.
        double rounding = UnitInLastPlace * Math.Abs(loss(point)) / Step;
        double largest = Math.Max(floor, Math.Max(slopes.Max(Math.Abs), TestData.ToDouble(gradient).Max(Math.Abs)));

        for (int i = 0; i < chosen.Length; i++)
        {
            double came = gradient[chosen[i]];
            if (!(Math.Abs(slopes[i] - came) <= (Tolerance * largest) + rounding))
            {
                throw new XunitException(
                    $"The gradient of {name} at entry {chosen[i]} is {came:R}, but the difference quotient is {slopes[i]:R}; " +
                    $"the largest gradient is {largest:G3}.");
            }
        }
    }

    /// <summary>A loss from a forward pass: the sum of y * dy.</summary>
    public static Func<double[], double> Weighted(Func<double[], double[]> forward, ReadOnlySpan<float> dy)
    {
        double[] weights = TestData.ToDouble(dy);
        return x => Dot(forward(x), weights);
    }

    public static double Dot(double[] left, double[] right) =>
        left.Length == right.Length
            ? left.Zip(right, (a, b) => a * b).Sum()
            : throw new XunitException($"{left.Length} values do not go with {right.Length}.");

    private static double Slope(Func<double[], double> loss, double[] point, int entry)
    {
        double[] above = [.. point], below = [.. point];
        above[entry] += Step;
        below[entry] -= Step;
        return (loss(above) - loss(below)) / (above[entry] - below[entry]);
    }

    private static int[] Choose(int length, ulong seed, int entries)
    {
        if (length <= entries)
            return [.. Enumerable.Range(0, length)];

        var random = TestData.Stream(seed);
        var chosen = new HashSet<int>();
        while (chosen.Count < entries)
            chosen.Add((int)random.NextBelow((uint)length));
        return [.. chosen];
    }
}
