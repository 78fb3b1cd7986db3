using NativeConv.Optimizers;
using NativeConv.Simd;

namespace NativeConv;

/// <summary>
/// How gradients change parameters: <see cref="Sgd"/>, <see cref="RmsProp"/>, <see cref="Adam"/> or <see cref="AdamW"/>. It holds settings alone; the moments live
/// with what is trained, so that one optimizer may serve many models.
/// </summary>
public abstract class Optimizer
{
    private float _learningRate;

    private protected Optimizer(float learningRate)
    {
        LearningRate = learningRate;
    }

    /// <summary>How far a step goes; not negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public float LearningRate
    {
        get => _learningRate;
        set => _learningRate = value >= 0 && float.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LearningRate), value, "A learning rate must be a finite number that is not negative.");
    }

    /// <summary>Numbers kept for each parameter between steps.</summary>
    internal abstract int MomentCount { get; }

    /// <summary>Changes a run of parameters.</summary>
    internal abstract void Apply<TVector>(in ParameterRun run, float learningRate, long timeStep)
        where TVector : struct, IVector<TVector>;

    private protected static float Fraction(float value, string parameter) => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be at least 0 and below 1.");

    private protected static float NotNegative(float value, string parameter) => value >= 0 && float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(parameter, value, $"{parameter} must be a finite number that is not negative.");
}
