namespace NativeConv.Graph;

/// <summary>When workers share an image.</summary>
/// <param name="Image">What of it can be cut into rows must take so many multiply-adds.</param>
/// <param name="Part">A part of that must take so many.</param>
/// <param name="Rest">What cannot be cut, and is one worker's alone, may be so much of what can.</param>
internal readonly record struct SharingLimits(long Image, long Part, double Rest)
{
    /// <summary>A smaller image is done before threads that sleep are awake; a part takes some microseconds.</summary>
    public static SharingLimits Default => new(20_000_000, 500_000, 0.25);

    /// <summary>Shares whatever can be shared.</summary>
    public static SharingLimits None => new(0, 1, double.PositiveInfinity);
}
