namespace NativeConv;

/// <summary>What a <see cref="HyperparameterSearch"/> draws settings from. What has a single value is not searched.</summary>
public sealed record SearchSpace
{
    /// <summary>The lowest learning rate; rates are drawn evenly by their logarithm.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a finite number above 0.</exception>
    public float LowestLearningRate { get; init => field = Positive(value, nameof(LowestLearningRate)); } = 3e-4f;

    /// <summary>The highest learning rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a finite number above 0.</exception>
    public float HighestLearningRate { get; init => field = Positive(value, nameof(HighestLearningRate)); } = 3e-2f;

    /// <summary>The batch sizes, each as likely as the others.</summary>
    /// <exception cref="ArgumentException">There is none, or one is below 1.</exception>
    public IReadOnlyList<int> BatchSizes
    {
        get;
        init => field = value.Count > 0 && value.All(size => size > 0)
            ? [.. value]
            : throw new ArgumentException($"There must be batch sizes, each of at least one image, but they are [{string.Join(", ", value)}].", nameof(BatchSizes));
    } = [32, 64, 128, 256];

    /// <summary>What the channels of a network are multiplied by, each as likely as the others.</summary>
    /// <exception cref="ArgumentException">There is none, or one is not a finite number above 0.</exception>
    public IReadOnlyList<float> Widths
    {
        get;
        init => field = value.Count > 0
            ? [.. value.Select(width => Positive(width, nameof(Widths)))]
            : throw new ArgumentException("There must be at least one width.", nameof(Widths));
    } = [0.5f, 1, 1.5f, 2];

    private static float Positive(float value, string name) => value > 0 && float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be finite and above 0.");
}
