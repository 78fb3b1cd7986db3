using System.Globalization;

namespace NativeConv;

/// <summary>
/// An exponential moving average of the weights and running statistics over the steps (Polyak and Juditsky, 1992): a = w after the first step, then a += (1 - d)(w - a). The
/// average is what is validated, watched by callbacks and left in the model at the end; the steps go on from the weights themselves.
/// </summary>
public sealed class WeightAveraging
{
    /// <summary>Sets what a step keeps of the average.</summary>
    /// <param name="decay">d, from 0 to below 1.</param>
    /// <param name="warmUp">Whether the t-th step, from 1, keeps no more than t / (t + 9), so that the first weights are soon forgotten.</param>
    /// <exception cref="ArgumentOutOfRangeException">The decay is outside.</exception>
    public WeightAveraging(double decay = 0.999, bool warmUp = true)
    {
        Decay = decay is >= 0 and < 1
            ? decay
            : throw new ArgumentOutOfRangeException(nameof(decay), decay, "The decay must be at least 0 and below 1.");
        WarmUp = warmUp;
    }

    /// <summary>What a step keeps of the average.</summary>
    public double Decay { get; }

    /// <summary>Whether the first steps keep less.</summary>
    public bool WarmUp { get; }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"WeightAveraging(decay: {Decay}, warmUp: {(WarmUp ? "true" : "false")})");

    /// <summary>How far a step, from 2, moves the average towards the weights.</summary>
    internal float Rate(long step) => (float)(1 - (WarmUp ? Math.Min(Decay, step / (step + 9.0)) : Decay));
}
