using NativeConv.Data;

namespace NativeConv;

/// <summary>
/// Brings a picture of one handwritten digit, a scan or a drawing of any size, to what MNIST's images are (LeCun, Cortes and Burges): light ink on black, fitted into 20 x 20 pixels
/// with its proportions kept, and moved so that its centre of mass lies in the middle of 28 x 28. The light must be even, and nothing else on the picture.
/// </summary>
public static class DigitPicture
{
    /// <summary>Rows and columns of a prepared digit.</summary>
    public const int Side = 28;

    private const int Box = 20;

    /// <summary>
    /// Prepares a picture. The median of its outermost pixels is the background; what stands out from it most becomes 255, and what stands out by less than an eighth of that 0. That
    /// ink is cut out; each pixel of the result is the mean of the area that it covers. Whole pixels are moved, none beyond the edge. An image of MNIST stays nearly as it is.
    /// Allocates nothing; safe to call from many threads.
    /// </summary>
    /// <param name="pixels">[height, width, channels], the channels being grey, grey and opacity, red green blue, or red green blue opacity. What is transparent becomes white.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="digit">[28, 28, 1], 0 to 255: what a model that was trained on MNIST predicts from. Unchanged where the picture is blank.</param>
    /// <returns>Whether there is anything on the picture: a pixel that differs from the background by 32 of 255 levels.</returns>
    /// <exception cref="ArgumentException">The shape has no pixels or other than 1 to 4 channels, or a span's length does not fit.</exception>
    public static bool TryPrepare(ReadOnlySpan<byte> pixels, ImageShape shape, Span<float> digit)
    {
        RequirePicture(pixels.Length, shape);
        if (digit.Length != Side * Side)
            throw new ArgumentException($"A prepared digit has {Side} x {Side} values, but there is room for {digit.Length}.", nameof(digit));

        if (!PictureInk.TryFind(pixels, shape, out PictureInk ink))
            return false;

        (int top, int left, int bottom, int right) = ink.Bounds();
        double scale = (double)Box / Math.Max(bottom - top, right - left);
        int height = Fitted(bottom - top, scale), width = Fitted(right - left, scale);
        Span<float> fitted = stackalloc float[height * width];
        double rowStep = (double)(bottom - top) / height, columnStep = (double)(right - left) / width, mass = 0, massDown = 0, massRight = 0;
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                double mean = ink.Mean(top + (row * rowStep), left + (column * columnStep), top + ((row + 1) * rowStep), left + ((column + 1) * columnStep));
                fitted[(row * width) + column] = (float)mean;
                mass += mean;
                massDown += mean * (row + 0.5);
                massRight += mean * (column + 0.5);
            }
        }

        int down = Margin(massDown / mass, height), across = Margin(massRight / mass, width);
        digit.Clear();
        for (int row = 0; row < height; row++)
            fitted.Slice(row * width, width).CopyTo(digit[(((down + row) * Side) + across)..]);

        return true;
    }

    /// <summary>The brightness of each pixel, 0 to 255, by the eye's weights (ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue), over white where it is transparent.</summary>
    /// <param name="pixels">[height, width, channels], as <see cref="TryPrepare"/> takes them.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="grey">[height, width, 1].</param>
    /// <exception cref="ArgumentException">The shape has no pixels or other than 1 to 4 channels, or a span's length does not fit.</exception>
    public static void ToGrey(ReadOnlySpan<byte> pixels, ImageShape shape, Span<byte> grey)
    {
        RequirePicture(pixels.Length, shape);
        if (grey.Length != shape.Pixels)
            throw new ArgumentException($"A picture of {shape} gives {shape.Pixels} grey values, but there is room for {grey.Length}.", nameof(grey));

        for (int i = 0; i < grey.Length; i++)
            grey[i] = (byte)PictureInk.Grey(pixels, i, shape.Channels);
    }

    private static int Fitted(int length, double scale) => Math.Clamp((int)Math.Round(length * scale), 1, Box);

    /// <summary>The empty pixels before the digit that bring its centre of mass nearest to the middle.</summary>
    private static int Margin(double centre, int length) => Math.Clamp((int)Math.Round((Side / 2.0) - centre), 0, Side - length);

    private static void RequirePicture(int values, ImageShape shape)
    {
        if (shape.Height < 1 || shape.Width < 1 || shape.Channels is < 1 or > 4)
            throw new ArgumentException($"A picture has at least one row and column and 1 to 4 channels, but this one is {shape}.", nameof(shape));

        // Divided rather than multiplied: a shape may exceed what a product holds.
        if (values % shape.Channels != 0 || values / shape.Channels != (long)shape.Height * shape.Width)
            throw new ArgumentException($"The pixels of a picture of {shape} are one value for each row, column and channel, but {values} were given.", nameof(shape));
    }
}
