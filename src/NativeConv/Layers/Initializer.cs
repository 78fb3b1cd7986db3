using NativeConv.Numerics;
using NativeConv.Random;

namespace NativeConv;

/// <summary>How a parameter starts. The same seed gives the same values on every machine.</summary>
public abstract class Initializer
{
    private Initializer()
    {
    }

    /// <summary>Uniform within sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, 2010.</summary>
    public static Initializer GlorotUniform { get; } = new GlorotUniformInitializer();

    /// <summary>Normal, not truncated, with deviation sqrt(2 / fan_in), for layers that a ReLU follows: He et al., 2015.</summary>
    public static Initializer HeNormal { get; } = new HeNormalInitializer();

    /// <summary>All zeros.</summary>
    public static Initializer Zeros { get; } = new ConstantInitializer(0);

    /// <summary>All ones.</summary>
    public static Initializer Ones { get; } = new ConstantInitializer(1);

    /// <summary>All the same value.</summary>
    public static Initializer Constant(float value) => new ConstantInitializer(value);

    internal abstract void Fill(Span<float> values, ParameterDescription description, RandomStream random);

    private sealed class GlorotUniformInitializer : Initializer
    {
        internal override void Fill(Span<float> values, ParameterDescription description, RandomStream random)
        {
            double limit = Math.Sqrt(6.0 / (description.FanIn + description.FanOut));
            foreach (ref float value in values)
                value = (float)(((2 * random.NextDouble()) - 1) * limit);
        }
    }

    private sealed class HeNormalInitializer : Initializer
    {
        internal override void Fill(Span<float> values, ParameterDescription description, RandomStream random)
        {
            double deviation = Math.Sqrt(2.0 / description.FanIn);
            for (int i = 0; i < values.Length; i += 2)
            {
                // Box and Muller: two uniforms give two normals. 1 - u keeps the logarithm off zero.
                double radius = deviation * Math.Sqrt(-2 * ScalarFunctions.Log(1 - random.NextDouble()));
                double angle = 2 * Math.PI * random.NextDouble();
                values[i] = (float)(radius * ScalarFunctions.Cos(angle));
                if (i + 1 < values.Length)
                    values[i + 1] = (float)(radius * ScalarFunctions.Sin(angle));
            }
        }
    }

    private sealed class ConstantInitializer(float constant) : Initializer
    {
        internal override void Fill(Span<float> values, ParameterDescription description, RandomStream random) => values.Fill(constant);
    }
}
