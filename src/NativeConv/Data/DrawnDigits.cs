using NativeConv.Data;
using NativeConv.Random;

namespace NativeConv;

/// <summary>
/// Handwritten-looking digits drawn by code, 28 x 28 x 1, fitted and centred as MNIST's: data that are always at hand.
/// A small convolutional network trained on these alone reads most of MNIST's test images.
/// </summary>
public static class DrawnDigits
{
    /// <summary>Draws digits; the classes take turns. Image i depends on the seed and i alone, and is the same on every machine.</summary>
    /// <param name="count">How many images.</param>
    /// <param name="seed">Another seed, other handwriting.</param>
    /// <param name="first">The number of the first image: with the same seed, ranges that do not overlap share no image.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or the images exceed an array.</exception>
    public static Dataset Create(int count, ulong seed, int first = 0)
    {
        const int Length = DigitPen.Side * DigitPen.Side;
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.MaxLength / Length);
        ArgumentOutOfRangeException.ThrowIfNegative(first);

        var pen = new DigitPen(DigitStyle.All());
        byte[] pixels = new byte[count * Length];
        int[] labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            ulong index = (ulong)first + (ulong)i;
            labels[i] = (int)(index % 10);
            pen.Draw(labels[i], new RandomStream(seed, StreamPurpose.DrawnDigits, index), pixels.AsSpan(i * Length, Length));
        }

        return Dataset.From(pixels, new ImageShape(DigitPen.Side, DigitPen.Side, 1), labels, ClassNames);
    }

    internal static string[] ClassNames => ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
}
