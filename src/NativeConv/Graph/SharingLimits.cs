namespace NativeConv.Graph;

/// <summary>What an image must take, in multiply-adds, before workers share it, and what a part of it must at least.</summary>
internal readonly record struct SharingLimits(long Image, long Part)
{
    /// <summary>A smaller image is done before threads that sleep are awake; a part takes some microseconds.</summary>
    public static SharingLimits Default => new(20_000_000, 500_000);

    /// <summary>Shares whatever can be shared.</summary>
    public static SharingLimits None => new(0, 1);
}
