using System.Globalization;
using NativeConv.Data;

namespace NativeConv;

/// <summary>
/// How training images are varied. Shift, rotation, scale, shear and elastic bending are drawn from their ranges for every image of every epoch, put together into one map and
/// applied by one bilinear resampling; then a square is cut out. What is drawn depends on the seed, the epoch and the image's number alone, never on threads or batches, and
/// each range on none of the others. All ranges are 0, which changes nothing, unless set.
/// </summary>
public sealed record Augmentation
{
    /// <summary>The chance that an image is changed at all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 1.</exception>
    public float Probability { get; init => field = Within(value, 0, 1, nameof(Probability)); } = 1;

    /// <summary>The most pixels that an image moves along each axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 65536.</exception>
    public float Shift { get; init => field = Within(value, 0, 65536, nameof(Shift)); }

    /// <summary>The most degrees that an image turns, either way.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 180.</exception>
    public float Rotation { get; init => field = Within(value, 0, 180, nameof(Rotation)); }

    /// <summary>The most that an image grows or shrinks, as a part of its size: 0.1 for 0.9 to 1.1 times.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 0.9.</exception>
    public float Scale { get; init => field = Within(value, 0, 0.9f, nameof(Scale)); }

    /// <summary>The most that a row slides sideways, as a part of its distance from the middle row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 10.</exception>
    public float Shear { get; init => field = Within(value, 0, 10, nameof(Shear)); }

    /// <summary>
    /// The most pixels that the points of a grid move along each axis; a cubic B-spline through the grid bends the image smoothly (after Simard, Steinkraus and Platt, 2003, with
    /// a spline in place of their Gaussian filter).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 65536.</exception>
    public float Elastic { get; init => field = Within(value, 0, 65536, nameof(Elastic)); }

    /// <summary>The pixels between two points of the grid that <see cref="Elastic"/> moves: more of them, slower bends.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 1 to 65536.</exception>
    public float ElasticSpacing { get; init => field = Within(value, 1, 65536, nameof(ElasticSpacing)); } = 6;

    /// <summary>The side in pixels of a square that is filled, around any pixel of the image; it may reach beyond the edge (DeVries and Taylor, 2017).</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not 0 to 65536.</exception>
    public int CutOut { get; init => field = (int)Within(value, 0, 65536, nameof(CutOut)); }

    /// <summary>The value of what comes from outside the image and of what is cut out, on the scale of raw values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not finite.</exception>
    public float Fill { get; init => field = Within(value, float.MinValue, float.MaxValue, nameof(Fill)); }

    /// <summary>Varies one image. Sets memory aside; training does so once.</summary>
    /// <param name="image">[height, width, channels].</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="destination">The image that comes of it, of the same shape; not the memory of <paramref name="image"/>.</param>
    /// <param name="seed">Another seed, other draws.</param>
    /// <param name="epoch">From 0.</param>
    /// <param name="index">The image's number in the data set.</param>
    /// <exception cref="ArgumentException">A span's length is not the shape's, or a number is out of range.</exception>
    public void Apply(ReadOnlySpan<float> image, ImageShape shape, Span<float> destination, ulong seed, int epoch, int index)
    {
        RequireLengths(image.Length, shape, destination.Length);
        new Augmenter(this, shape).Apply(image, destination, seed, epoch, index);
    }

    /// <summary>Varies one image of bytes; results are rounded, halves up.</summary>
    /// <param name="image">[height, width, channels].</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="destination">The image that comes of it, of the same shape.</param>
    /// <param name="seed">Another seed, other draws.</param>
    /// <param name="epoch">From 0.</param>
    /// <param name="index">The image's number in the data set.</param>
    /// <exception cref="ArgumentException">A span's length is not the shape's, or a number is out of range.</exception>
    public void Apply(ReadOnlySpan<byte> image, ImageShape shape, Span<byte> destination, ulong seed, int epoch, int index)
    {
        RequireLengths(image.Length, shape, destination.Length);
        float[] from = new float[image.Length], to = new float[image.Length];
        for (int i = 0; i < from.Length; i++)
            from[i] = image[i];

        new Augmenter(this, shape).Apply(from, to, seed, epoch, index);
        for (int i = 0; i < to.Length; i++)
            destination[i] = (byte)(Math.Clamp(to[i], 0, 255) + 0.5f);
    }

    /// <summary>Every setting, in a line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"probability {Probability}, shift {Shift}, rotation {Rotation}, scale {Scale}, shear {Shear}, elastic {Elastic} by {ElasticSpacing}, cut-out {CutOut}, fill {Fill}");

    private static float Within(float value, float least, float most, string name) => value >= least && value <= most
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} to {most}.");

    private static void RequireLengths(int image, ImageShape shape, int destination)
    {
        if (shape.Height < 1 || shape.Width < 1 || shape.Channels < 1 || image != shape.Length)
            throw new ArgumentException($"An image of {shape} holds {shape.Length} values, but {image} were given.", nameof(image));

        if (destination != image)
            throw new ArgumentException($"An image of {shape} gives {image} values, but there is room for {destination}.", nameof(destination));
    }
}
