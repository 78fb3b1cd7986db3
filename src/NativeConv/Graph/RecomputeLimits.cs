namespace NativeConv.Graph;

/// <summary>When a convolution of few multiply-adds a value runs again, forward pass and backward, instead of its output being kept.</summary>
/// <param name="Image">An image of more bytes is kept: it would leave the cache before it is read.</param>
/// <param name="Batch">A batch of fewer is kept: it stays in a cache.</param>
internal readonly record struct RecomputeLimits(long Image, long Batch)
{
    /// <summary>What a second-level cache of 512 KB holds beside what is computed from it; what one of 1 to 2 MB does not.</summary>
    public static RecomputeLimits Default => new(256 * 1024, 2 * 1024 * 1024);

    /// <summary>Keeps every output.</summary>
    public static RecomputeLimits None => new(0, long.MaxValue);
}
