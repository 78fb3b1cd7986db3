namespace NativeConv.Graph;

/// <summary>When training carries an image through a stage in bands of rows.</summary>
/// <param name="Image">Where no image of a height and width takes more bytes, all of them stay whole.</param>
/// <param name="Band">A band of the largest image is as near to so many bytes, as a ratio, as equal bands can be.</param>
/// <param name="Weights">Weights of more than so many bytes are not read once for each band.</param>
internal readonly record struct BandLimits(long Image, long Band, long Weights)
{
    /// <summary>A few bands, and as many weights, share a second-level cache of 512 KB.</summary>
    public static BandLimits Default => new(256 * 1024, 128 * 1024, 256 * 1024);

    /// <summary>Leaves every image whole.</summary>
    public static BandLimits None => new(long.MaxValue, 1, 0);
}
