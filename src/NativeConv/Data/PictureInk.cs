namespace NativeConv.Data;

/// <summary>A picture as ink on nothing: what stands out from its border, dark on light or light on dark.</summary>
internal readonly ref struct PictureInk
{
    /// <summary>Levels from the border's at which a pixel stands out at all; a picture without such a pixel is blank.</summary>
    private const int LeastContrast = 32;

    /// <summary>The part of full ink below which a pixel is empty: shades of paper and what compression leaves around strokes.</summary>
    private const double Faint = 0.125;

    private const int Levels = 256;

    private readonly ReadOnlySpan<byte> _pixels;
    private readonly ImageShape _shape;
    private readonly int _background, _contrast;

    private PictureInk(ReadOnlySpan<byte> pixels, ImageShape shape, int background, int contrast)
    {
        _pixels = pixels;
        _shape = shape;
        _background = background;
        _contrast = contrast;
    }

    /// <summary>Ink at a pixel, 0 to 255, where 255 is what differs most from the border.</summary>
    public double this[int row, int column]
    {
        get
        {
            double part = (double)(Grey(_pixels, (row * _shape.Width) + column, _shape.Channels) - _background) / _contrast;
            return part < Faint ? 0 : 255 * part;
        }
    }

    /// <summary>Finds the ink: the border's median is the background, and the ink lies on that side of it to which the pixels that stand out differ by more in sum.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="ink">The ink, where there is any.</param>
    public static bool TryFind(ReadOnlySpan<byte> pixels, ImageShape shape, out PictureInk ink)
    {
        Span<int> all = stackalloc int[Levels], border = stackalloc int[Levels];
        all.Clear();
        border.Clear();
        for (int row = 0, pixel = 0; row < shape.Height; row++)
        {
            bool isEdge = row == 0 || row == shape.Height - 1;
            for (int column = 0; column < shape.Width; column++, pixel++)
            {
                int level = Grey(pixels, pixel, shape.Channels);
                all[level]++;
                if (isEdge || column == 0 || column == shape.Width - 1)
                    border[level]++;
            }
        }

        int background = Median(border), most = 0, least = 0;
        long sum = 0;
        for (int level = 0; level < Levels; level++)
        {
            int difference = level - background;
            if (all[level] == 0 || Math.Abs(difference) < LeastContrast)
                continue;

            sum += (long)difference * all[level];
            (most, least) = (Math.Max(most, difference), Math.Min(least, difference));
        }

        int contrast = sum >= 0 ? most : least;
        ink = new(pixels, shape, background, contrast);
        return contrast != 0;
    }

    /// <summary>The smallest rectangle with all the ink; its ends are exclusive.</summary>
    public (int Top, int Left, int Bottom, int Right) Bounds()
    {
        int top = _shape.Height, left = _shape.Width, bottom = 0, right = 0;
        for (int row = 0; row < _shape.Height; row++)
        {
            for (int column = 0; column < _shape.Width; column++)
            {
                if (this[row, column] == 0)
                    continue;

                (top, bottom) = (Math.Min(top, row), row + 1);
                (left, right) = (Math.Min(left, column), Math.Max(right, column + 1));
            }
        }

        return (top, left, bottom, right);
    }

    /// <summary>The mean ink of a rectangle whose edges may cut pixels.</summary>
    public double Mean(double top, double left, double bottom, double right)
    {
        double sum = 0;
        for (int row = (int)top; row < bottom && row < _shape.Height; row++)
        {
            double high = Math.Min(row + 1, bottom) - Math.Max(row, top);
            for (int column = (int)left; column < right && column < _shape.Width; column++)
                sum += high * (Math.Min(column + 1, right) - Math.Max(column, left)) * this[row, column];
        }

        return sum / ((bottom - top) * (right - left));
    }

    /// <summary>A pixel's brightness by the eye's weights (ITU-R BT.601), over white where it is transparent.</summary>
    /// <param name="pixels">1 to 4 values a pixel: grey, grey and opacity, red green blue, or red green blue opacity.</param>
    /// <param name="pixel">Which one.</param>
    /// <param name="channels">How many values it has.</param>
    public static int Grey(ReadOnlySpan<byte> pixels, int pixel, int channels)
    {
        int at = pixel * channels;
        int grey = channels < 3 ? pixels[at] : ((77 * pixels[at]) + (150 * pixels[at + 1]) + (29 * pixels[at + 2]) + 128) >> 8;
        if (channels % 2 == 1)
            return grey;

        int opacity = pixels[at + channels - 1];
        return ((grey * opacity) + (255 * (255 - opacity)) + 127) / 255;
    }

    private static int Median(ReadOnlySpan<int> counts)
    {
        int total = 0, below = 0, level = 0;
        foreach (int count in counts)
            total += count;

        while (2 * (below += counts[level]) < total)
            level++;

        return level;
    }
}
