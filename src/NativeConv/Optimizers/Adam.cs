using System.Globalization;
using NativeConv.Kernels;
using NativeConv.Numerics;
using NativeConv.Optimizers;

namespace NativeConv;

/// <summary>
/// Adam (Kingma and Ba, 2015): m = β1 m + (1 - β1) g; v = β2 v + (1 - β2) g²; w -= rate m̂ / (√v̂ + epsilon), where m̂ and v̂ are m and v over 1 - βᵗ.
/// </summary>
public class Adam : Optimizer
{
    /// <summary>Sets the rate, the decays of the moments and the floor of the root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public Adam(float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f)
        : base(learningRate)
    {
        Beta1 = Fraction(beta1, nameof(beta1));
        Beta2 = Fraction(beta2, nameof(beta2));
        Epsilon = NotNegative(epsilon, nameof(epsilon));
    }

    /// <summary>What the first moment keeps each step.</summary>
    public float Beta1 { get; }

    /// <summary>What the second moment keeps each step.</summary>
    public float Beta2 { get; }

    /// <summary>Added to the root.</summary>
    public float Epsilon { get; }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"Adam(learningRate: {LearningRate}, beta1: {Beta1}, beta2: {Beta2}, epsilon: {Epsilon})");

    internal sealed override int MomentCount => 2;

    /// <summary>The part of a weight that decoupled decay takes, as a multiple of the learning rate.</summary>
    private protected virtual float Decay => 0;

    internal sealed override unsafe void Apply<TVector>(in ParameterRun run, float learningRate, long timeStep)
    {
        double correction1 = 1 - ScalarFunctions.Pow(Beta1, timeStep), correction2 = 1 - ScalarFunctions.Pow(Beta2, timeStep);
        var step = new AdamStep(
            Beta1, Beta2, Epsilon, (float)(learningRate / correction1), (float)(1 / Math.Sqrt(correction2)), run.Decays ? 1 - (learningRate * Decay) : 1);
        AdamKernel.Run<TVector>(run.Weights, run.Gradient, run.First, run.Second, run.Count, step);
    }
}
