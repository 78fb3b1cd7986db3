using System.Globalization;

namespace NativeConv;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): weights shrink by rate × decay before each step. Biases and normalizations do not.
/// </summary>
public sealed class AdamW : Adam
{
    /// <summary>Sets the rate, the decay, the decays of the moments and the floor of the root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public AdamW(float learningRate = 1e-3f, float weightDecay = 0.01f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f)
        : base(learningRate, beta1, beta2, epsilon)
    {
        WeightDecay = NotNegative(weightDecay, nameof(weightDecay));
    }

    /// <summary>What each step takes of a weight, as a multiple of the learning rate.</summary>
    public float WeightDecay { get; }

    /// <summary>The settings in words; a checkpoint compares them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"AdamW(learningRate: {LearningRate}, weightDecay: {WeightDecay}, beta1: {Beta1}, beta2: {Beta2}, epsilon: {Epsilon})");

    private protected override float Decay => WeightDecay;
}
