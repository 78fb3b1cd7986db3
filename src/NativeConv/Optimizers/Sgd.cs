using System.Globalization;
using NativeConv.Kernels;
using NativeConv.Optimizers;

namespace NativeConv;

/// <summary>
/// Stochastic gradient descent: v = momentum v + g; w -= rate v, or rate (g + momentum v) after Nesterov (Sutskever et al., 2013, in the form of PyTorch).
/// </summary>
public sealed class Sgd : Optimizer
{
    /// <summary>Sets the rate and the momentum.</summary>
    /// <param name="learningRate">How far a step goes.</param>
    /// <param name="momentum">What a step keeps of the one before, from 0 to below 1.</param>
    /// <param name="nesterov">Whether the gradient counts as taken after the momentum's step; needs momentum.</param>
    /// <exception cref="ArgumentException">A value is out of its range, or Nesterov's form has no momentum.</exception>
    public Sgd(float learningRate, float momentum = 0, bool nesterov = false)
        : base(learningRate)
    {
        Momentum = Fraction(momentum, nameof(momentum));
        if (nesterov && momentum == 0)
            throw new ArgumentException("Nesterov's form needs a momentum above 0, but it is 0.", nameof(nesterov));

        Nesterov = nesterov;
    }

    /// <summary>What a step keeps of the one before.</summary>
    public float Momentum { get; }

    /// <summary>Whether the gradient counts as taken after the momentum's step.</summary>
    public bool Nesterov { get; }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"Sgd(learningRate: {LearningRate}, momentum: {Momentum}, nesterov: {(Nesterov ? "true" : "false")})");

    internal override int MomentCount => Momentum > 0 ? 1 : 0;

    internal override unsafe void Apply<TVector>(in ParameterRun run, float learningRate, long timeStep)
    {
        if (Momentum > 0)
            SgdKernel.WithMomentum<TVector>(run.Weights, run.Gradient, run.First, run.Count, learningRate, Momentum, Nesterov);
        else
            SgdKernel.Plain<TVector>(run.Weights, run.Gradient, run.Count, learningRate);
    }
}
