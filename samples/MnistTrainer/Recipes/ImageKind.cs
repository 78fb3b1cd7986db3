using NativeConv;

namespace MnistTrainer;

/// <summary>What a network must know of its images.</summary>
/// <param name="Shape">The shape of one.</param>
/// <param name="ClassNames">What its classes are called.</param>
/// <param name="Mean">The mean of values from 0 to 1.</param>
/// <param name="Deviation">Their deviation.</param>
internal sealed record ImageKind(ImageShape Shape, IReadOnlyList<string> ClassNames, float Mean, float Deviation)
{
    /// <summary>What a network for them multiplies its channels by.</summary>
    public float Width { get; init; } = 1;

    /// <summary>MNIST's digits, which the drawn ones are made after.</summary>
    public static ImageKind Mnist { get; } = new(new(28, 28, 1), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], 0.1307f, 0.3081f);

    /// <summary>A network's channels at this width, in fours, for vectors.</summary>
    public int Channels(int channels) => Math.Max(1, (int)MathF.Round(channels * Width / 4)) * 4;
}
