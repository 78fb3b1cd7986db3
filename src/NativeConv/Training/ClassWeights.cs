namespace NativeConv;

/// <summary>Weights that make up for classes of unequal size.</summary>
public static class ClassWeights
{
    /// <summary>
    /// Weights in inverse proportion to the classes' images: images / (classes × images of the class), counting the classes that have any, so that all of them weigh the
    /// same together and the mean over the images is 1. A class without images gets 1.
    /// </summary>
    /// <param name="data">Labelled images.</param>
    /// <exception cref="ArgumentException">The data set has no images.</exception>
    public static float[] Balanced(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Count == 0)
            throw new ArgumentException("The data set has no images.", nameof(data));

        long[] images = new long[data.ClassCount];
        foreach (int label in data.Labels.Span)
            images[label]++;

        int present = images.Count(count => count > 0);
        return Array.ConvertAll(images, count => count == 0 ? 1 : (float)(data.Count / ((double)present * count)));
    }
}
