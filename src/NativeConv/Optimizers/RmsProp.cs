using System.Globalization;
using NativeConv.Kernels;
using NativeConv.Optimizers;

namespace NativeConv;

/// <summary>RMSprop (Tieleman and Hinton, 2012): v = alpha v + (1 - alpha) g²; w -= rate g / (√v + epsilon).</summary>
public sealed class RmsProp : Optimizer
{
    /// <summary>Sets the rate, the decay of the mean square and the floor of its root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public RmsProp(float learningRate = 1e-3f, float alpha = 0.9f, float epsilon = 1e-8f)
        : base(learningRate)
    {
        Alpha = Fraction(alpha, nameof(alpha));
        Epsilon = NotNegative(epsilon, nameof(epsilon));
    }

    /// <summary>What the mean square keeps each step.</summary>
    public float Alpha { get; }

    /// <summary>Added to the root.</summary>
    public float Epsilon { get; }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"RmsProp(learningRate: {LearningRate}, alpha: {Alpha}, epsilon: {Epsilon})");

    internal override int MomentCount => 1;

    internal override unsafe void Apply<TVector>(in ParameterRun run, float learningRate, long timeStep) =>
        RmsPropKernel.Run<TVector>(run.Weights, run.Gradient, run.First, run.Count, learningRate, Alpha, Epsilon);
}
