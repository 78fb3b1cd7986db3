namespace NativeConv;

/// <summary>
/// Labelled images in memory, NHWC, as bytes or as floats. Immutable; parts of it share the same memory.
/// Values reach the network as they are (bytes as 0 to 255): scaling is the model's first layer.
/// </summary>
public sealed partial class Dataset
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly ReadOnlyMemory<float> _floats;
    private readonly ReadOnlyMemory<int> _labels;

    private Dataset(
        ImageShape shape, ReadOnlyMemory<byte> bytes, ReadOnlyMemory<float> floats, ReadOnlyMemory<int> labels, IReadOnlyList<string> classNames)
    {
        Shape = shape;
        _bytes = bytes;
        _floats = floats;
        _labels = labels;
        ClassNames = classNames;
    }

    /// <summary>A data set of byte images. The memory is kept, not copied: leave it unchanged.</summary>
    /// <param name="pixels">Values in NHWC order: images times <paramref name="shape"/>'s length.</param>
    /// <param name="shape">The shape of one image.</param>
    /// <param name="labels">The class of each image, from 0 to below the number of classes.</param>
    /// <param name="classNames">What the classes are called, in order of their labels.</param>
    /// <exception cref="ArgumentException">A dimension is below 1, the sizes disagree, there is no class, or a label is out of range.</exception>
    public static Dataset From(ReadOnlyMemory<byte> pixels, ImageShape shape, ReadOnlyMemory<int> labels, IReadOnlyList<string> classNames)
    {
        Validate(pixels.Length, nameof(pixels), shape, labels.Span, classNames);
        return new Dataset(shape, pixels, default, labels, [.. classNames]);
    }

    /// <summary>A data set of real-valued images. The memory is kept, not copied: leave it unchanged.</summary>
    /// <param name="values">Values in NHWC order: images times <paramref name="shape"/>'s length.</param>
    /// <param name="shape">The shape of one image.</param>
    /// <param name="labels">The class of each image, from 0 to below the number of classes.</param>
    /// <param name="classNames">What the classes are called, in order of their labels.</param>
    /// <exception cref="ArgumentException">As <see cref="From"/>.</exception>
    public static Dataset FromFloats(ReadOnlyMemory<float> values, ImageShape shape, ReadOnlyMemory<int> labels, IReadOnlyList<string> classNames)
    {
        Validate(values.Length, nameof(values), shape, labels.Span, classNames);
        return new Dataset(shape, default, values, labels, [.. classNames]);
    }

    /// <summary>The shape of one image.</summary>
    public ImageShape Shape { get; }

    /// <summary>How many images there are.</summary>
    public int Count => _labels.Length;

    /// <summary>How many classes there are.</summary>
    public int ClassCount => ClassNames.Count;

    /// <summary>What the classes are called, in order of their labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The bytes of all images, NHWC; empty where the data set holds floats.</summary>
    public ReadOnlyMemory<byte> Pixels => _bytes;

    /// <summary>The class of each image.</summary>
    public ReadOnlyMemory<int> Labels => _labels;

    /// <summary>The first <paramref name="count"/> images, or all where there are fewer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public Dataset Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Slice(0, Math.Min(count, Count));
    }

    /// <summary>All but the first <paramref name="count"/> images; none where there are fewer.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public Dataset Skip(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int start = Math.Min(count, Count);
        return Slice(start, Count - start);
    }

    /// <summary>The images from <paramref name="start"/> on, <paramref name="count"/> of them, in the same memory.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the data set.</exception>
    public Dataset Slice(int start, int count)
    {
        if ((uint)start > (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(start), start, $"A slice of a data set of {Count} images starts at 0 to {Count}.");
        if ((uint)count > (uint)(Count - start))
            throw new ArgumentOutOfRangeException(nameof(count), count, $"From image {start} of {Count}, a slice holds 0 to {Count - start} images.");

        int length = Shape.Length;
        return new Dataset(
            Shape,
            _bytes.IsEmpty ? default : _bytes.Slice(start * length, count * length),
            _floats.IsEmpty ? default : _floats.Slice(start * length, count * length),
            _labels.Slice(start, count),
            ClassNames);
    }

    /// <summary>Holds out the last <paramref name="count"/> images.</summary>
    /// <returns>The images before them, and the images held out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or above <see cref="Count"/>.</exception>
    public (Dataset Training, Dataset Validation) SplitLast(int count)
    {
        if ((uint)count > (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"Of {Count} images, 0 to {Count} can be held out.");

        return (Slice(0, Count - count), Slice(Count - count, count));
    }

    /// <summary>Writes chosen images to the front of <paramref name="destination"/>, in the order of the indices; allocates nothing.</summary>
    /// <param name="indices">Which images, 0 to below <see cref="Count"/>.</param>
    /// <param name="destination">Room for as many images, [indices, height, width, channels]; what lies beyond is left alone.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not an image of this data set.</exception>
    public void CopyImages(ReadOnlySpan<int> indices, Span<float> destination)
    {
        int length = Shape.Length;
        RequireRoom(destination.Length, (long)indices.Length * length);
        foreach (int index in indices)
        {
            RequireIndex(index);
            Span<float> image = destination[..length];
            if (_floats.IsEmpty)
                Widen(_bytes.Span.Slice(index * length, length), image);
            else
                _floats.Span.Slice(index * length, length).CopyTo(image);

            destination = destination[length..];
        }
    }

    /// <summary>Writes the classes of chosen images to the front of <paramref name="destination"/>; allocates nothing.</summary>
    /// <param name="indices">Which images, 0 to below <see cref="Count"/>.</param>
    /// <param name="destination">Room for as many labels; what lies beyond is left alone.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not an image of this data set.</exception>
    public void CopyLabels(ReadOnlySpan<int> indices, Span<int> destination)
    {
        RequireRoom(destination.Length, indices.Length);
        ReadOnlySpan<int> labels = _labels.Span;
        for (int i = 0; i < indices.Length; i++)
        {
            RequireIndex(indices[i]);
            destination[i] = labels[indices[i]];
        }
    }

    private static void Widen(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < source.Length; i++)
            destination[i] = source[i];
    }

    private void RequireIndex(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException("indices", index, $"The data set holds {Count} images, counted from 0.");
    }

    private static void RequireRoom(int room, long needed)
    {
        if (room < needed)
            throw new ArgumentException($"The images asked for need room for {needed} values, but there is room for {room}.", "destination");
    }

    private static void Validate(int length, string name, ImageShape shape, ReadOnlySpan<int> labels, IReadOnlyList<string> classNames)
    {
        if (shape.Height < 1 || shape.Width < 1 || shape.Channels < 1)
            throw new ArgumentException($"Every dimension of an image must be at least 1, but the shape is {shape}.", nameof(shape));

        Int128 expected = (Int128)shape.Height * shape.Width * shape.Channels * labels.Length;
        if (length != expected)
            throw new ArgumentException($"{labels.Length} labelled images of {shape} are {expected} values, but {length} were given.", name);
        if (classNames.Count == 0)
            throw new ArgumentException("There must be at least one class.", nameof(classNames));

        for (int i = 0; i < labels.Length; i++)
        {
            if ((uint)labels[i] >= (uint)classNames.Count)
                throw new ArgumentException($"Labels must be 0 to {classNames.Count - 1}, but label {i} is {labels[i]}.", nameof(labels));
        }
    }
}
