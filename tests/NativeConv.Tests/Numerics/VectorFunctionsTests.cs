using FluentAssertions;
using NativeConv.Numerics;
using NativeConv.Simd;
using Xunit;

namespace NativeConv.Tests.Numerics;

/// <summary>
/// The functions of a vector's lanes against double precision. An error is counted in units of the last place of the right result; the bounds are what the functions
/// reach plus little, so that a term of a series that is lost shows.
/// </summary>
public sealed unsafe class VectorFunctionsTests
{
    public enum Function
    {
        Exp,
        ExpMinusOne,
        Sigmoid,
        Tanh,
    }

    public static TheoryData<Function, double, double, double, SimdLevel> Ranges
    {
        get
        {
            var data = new TheoryData<Function, double, double, double, SimdLevel>();
            foreach (SimdLevel level in SimdLevels.Callable)
            {
                data.Add(Function.Exp, -87, 88, 1.5, level);
                data.Add(Function.ExpMinusOne, -17, 87, 2.5, level);
                data.Add(Function.ExpMinusOne, -0.5, 0.5, 2.5, level);
                data.Add(Function.Sigmoid, -80, 30, 3, level);
                data.Add(Function.Tanh, -10, 10, 3.5, level);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Function_SampledRange_IsWithinUnitsInTheLastPlace(Function function, double low, double high, double bound, SimdLevel level)
    {
        const int Count = 160_000;
        float[] x = new float[Count], y = new float[Count];
        for (int i = 0; i < Count; i++)
            x[i] = (float)(low + ((high - low) * i / (Count - 1)));

        fixed (float* from = x, to = y)
            SimdLevels.Dispatch<Work, int>(level, new(function, from, to, Count));

        double worst = 0;
        float at = 0;
        for (int i = 0; i < Count; i++)
        {
            double right = Right(function, x[i]), error = Math.Abs(y[i] - right) / Unit(right);
            if (!(error <= worst))
                (worst, at) = (error, x[i]);
        }

        worst.Should().BeLessThan(bound, "the worst argument is {0:R}", at);
    }

    private static double Right(Function function, double x) => function switch
    {
        Function.Exp => Math.Exp(x),
        // Below a thousandth a subtraction would lose half of a double's digits.
        Function.ExpMinusOne => Math.Abs(x) < 1e-3 ? x * (1 + (x / 2 * (1 + (x / 3 * (1 + (x / 4)))))) : Math.Exp(x) - 1,
        Function.Sigmoid => 1 / (1 + Math.Exp(-x)),
        _ => Math.Tanh(x),
    };

    /// <summary>The distance between the floats around a value.</summary>
    private static double Unit(double value)
    {
        float magnitude = (float)Math.Abs(value);
        return (double)MathF.BitIncrement(magnitude) - magnitude;
    }

    private readonly struct Work(Function function, float* x, float* y, int count) : ISimdWork<int>
    {
        public int Run<TVector>()
            where TVector : struct, IVector<TVector>
        {
            for (int i = 0; i < count; i += TVector.Lanes)
            {
                TVector value = TVector.Load(x + i);
                TVector.Store(y + i, function switch
                {
                    Function.Exp => VectorFunctions.Exp(value),
                    Function.ExpMinusOne => VectorFunctions.ExpMinusOne(value),
                    Function.Sigmoid => VectorFunctions.Sigmoid(value),
                    _ => VectorFunctions.Tanh(value),
                });
            }

            return count;
        }
    }
}
