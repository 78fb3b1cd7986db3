using NativeConv.Random;

namespace NativeConv;

/// <summary>Choosing images, and what their values are like.</summary>
public sealed partial class Dataset
{
    /// <summary>Chosen images in the order of the indices, copied to memory of their own.</summary>
    /// <param name="indices">Which images, 0 to below <see cref="Count"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is not an image of this data set.</exception>
    public Dataset Select(ReadOnlySpan<int> indices)
    {
        int length = Shape.Length;
        byte[] bytes = _bytes.IsEmpty ? [] : new byte[indices.Length * length];
        float[] floats = _floats.IsEmpty ? [] : new float[indices.Length * length];
        int[] labels = new int[indices.Length];
        CopyLabels(indices, labels);
        for (int i = 0; i < indices.Length; i++)
        {
            if (!_bytes.IsEmpty)
                _bytes.Span.Slice(indices[i] * length, length).CopyTo(bytes.AsSpan(i * length));
            else
                _floats.Span.Slice(indices[i] * length, length).CopyTo(floats.AsSpan(i * length));
        }

        return new(Shape, bytes, floats, labels, ClassNames);
    }

    /// <summary>
    /// Holds out the same part of every class, drawn at random: n * <paramref name="fraction"/> of its n images, rounded, halves up. Both parts keep the order of the images. A
    /// class's draw depends on the seed and on how many images it has alone.
    /// </summary>
    /// <param name="fraction">The part to hold out, 0 to 1.</param>
    /// <param name="seed">Another seed, another draw.</param>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not 0 to 1.</exception>
    public (Dataset Training, Dataset Validation) SplitStratified(double fraction, ulong seed)
    {
        if (fraction is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "The part to hold out must be 0 to 1.");

        bool[] held = Draw(count => (int)Math.Floor((count * fraction) + 0.5), seed);
        return (Select(Indices(held, false)), Select(Indices(held, true)));
    }

    /// <summary>As many images of every class, drawn at random, in their order; all of a class that has fewer.</summary>
    /// <param name="count">Images a class.</param>
    /// <param name="seed">Another seed, another draw.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public Dataset TakePerClass(int count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return Select(Indices(Draw(available => Math.Min(count, available), seed), true));
    }

    /// <summary>The images of chosen classes, in their order, labelled anew: 0 for the first class given, and so on.</summary>
    /// <param name="classes">Which classes, each once, 0 to below <see cref="ClassCount"/>.</param>
    /// <exception cref="ArgumentException">There is no class, one is given twice, or one is not of this data set.</exception>
    public Dataset TakeClasses(params ReadOnlySpan<int> classes)
    {
        if (classes.IsEmpty)
            throw new ArgumentException("There must be at least one class.", nameof(classes));

        int[] labelOf = new int[ClassCount];
        labelOf.AsSpan().Fill(-1);
        string[] names = new string[classes.Length];
        for (int i = 0; i < classes.Length; i++)
        {
            if ((uint)classes[i] >= (uint)ClassCount)
                throw new ArgumentException($"The data set has classes 0 to {ClassCount - 1}, but class {classes[i]} was asked for.", nameof(classes));

            if (labelOf[classes[i]] >= 0)
                throw new ArgumentException($"A class can be taken once, but class {classes[i]} is given twice.", nameof(classes));

            labelOf[classes[i]] = i;
            names[i] = ClassNames[classes[i]];
        }

        int[] chosen = [.. Enumerable.Range(0, Count).Where(i => labelOf[_labels.Span[i]] >= 0)];
        Dataset images = Select(chosen);
        return new(Shape, images._bytes, images._floats, Array.ConvertAll(images._labels.ToArray(), label => labelOf[label]), names);
    }

    /// <summary>The mean and the standard deviation of all values, for <see cref="ModelBuilder.Normalize"/>; both 0 where there are no images.</summary>
    public (double Mean, double Deviation) MeanAndDeviation()
    {
        long count = (long)Count * Shape.Length;
        if (count == 0)
            return (0, 0);

        double mean, squares = 0;
        if (!_bytes.IsEmpty)
        {
            // Whole numbers: exact.
            long sum = 0, sumOfSquares = 0;
            foreach (byte value in _bytes.Span)
            {
                sum += value;
                sumOfSquares += value * value;
            }

            mean = (double)sum / count;
            squares = (double)(((Int128)sumOfSquares * count) - ((Int128)sum * sum)) / count;
        }
        else
        {
            double sum = 0;
            foreach (float value in _floats.Span)
                sum += value;

            mean = sum / count;
            foreach (float value in _floats.Span)
                squares += (value - mean) * (value - mean);
        }

        return (mean, Math.Sqrt(squares / count));
    }

    /// <summary>Draws a number of images of each class, which is made of how many it has.</summary>
    private bool[] Draw(Func<int, int> number, ulong seed)
    {
        ReadOnlySpan<int> labels = _labels.Span;
        var ofClass = new List<int>[ClassCount];
        for (int i = 0; i < labels.Length; i++)
            (ofClass[labels[i]] ??= []).Add(i);

        bool[] drawn = new bool[Count];
        for (int c = 0; c < ofClass.Length; c++)
        {
            List<int> images = ofClass[c] ?? [];
            var random = new RandomStream(seed, StreamPurpose.Split, (ulong)c);
            int wanted = number(images.Count);
            for (int i = 0; i < wanted; i++)
            {
                int other = i + (int)random.NextBelow((uint)(images.Count - i));
                (images[i], images[other]) = (images[other], images[i]);
                drawn[images[i]] = true;
            }
        }

        return drawn;
    }

    private static int[] Indices(bool[] drawn, bool value) => [.. Enumerable.Range(0, drawn.Length).Where(i => drawn[i] == value)];
}
