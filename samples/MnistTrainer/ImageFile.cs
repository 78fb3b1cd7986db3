using StbImageSharp;

namespace MnistTrainer;

/// <summary>A picture read from a PNG, JPEG, BMP, GIF or TGA file; transparency is dropped.</summary>
/// <param name="Path">The file.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Pixels">[height, width, 3]: red, green, blue.</param>
internal sealed record ImageFile(string Path, int Height, int Width, byte[] Pixels)
{
    private const long MostPixels = 1 << 26;
    private static readonly HashSet<string> Extensions = new([".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tga"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a file's name is that of a picture.</summary>
    public static bool IsImage(string path) => Extensions.Contains(System.IO.Path.GetExtension(path));

    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no picture, or a broken or too large one.</exception>
    public static ImageFile Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        try
        {
            if (ImageInfo.FromStream(new MemoryStream(file)) is not { } info)
                throw new InvalidDataException($"{path}, byte 0: the file is no PNG, JPEG, BMP, GIF or TGA picture.");

            if ((long)info.Height * info.Width is 0 or > MostPixels)
                throw new InvalidDataException($"{path}: a picture has 1 to {MostPixels} pixels, but this one is {info.Height}x{info.Width}.");

            ImageResult image = ImageResult.FromMemory(file, ColorComponents.RedGreenBlue);
            return new(path, image.Height, image.Width, image.Data);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException or OverflowException or EndOfStreamException)
        {
            // What the decoder throws at broken files.
            throw new InvalidDataException($"{path}: the picture is broken: {e.Message}", e);
        }
    }

    /// <summary>Whether every pixel is grey.</summary>
    public bool IsGrey()
    {
        for (int i = 0; i < Pixels.Length; i += 3)
        {
            if (Pixels[i] != Pixels[i + 1] || Pixels[i] != Pixels[i + 2])
                return false;
        }

        return true;
    }

    /// <summary>The pixels as they are, or one grey value each, by the eye's weights.</summary>
    public byte[] Channels(int channels)
    {
        if (channels == 3)
            return Pixels;

        byte[] grey = new byte[Height * Width];
        for (int i = 0; i < grey.Length; i++)
            grey[i] = (byte)(((77 * Pixels[3 * i]) + (150 * Pixels[(3 * i) + 1]) + (29 * Pixels[(3 * i) + 2]) + 128) >> 8);

        return grey;
    }

    /// <summary>The picture at another size: each pixel is the mean of the area that it covers.</summary>
    public ImageFile Resize(int height, int width)
    {
        if (height == Height && width == Width)
            return this;

        byte[] resized = new byte[height * width * 3];
        for (int row = 0; row < height; row++)
        {
            double top = (double)row * Height / height, bottom = (double)(row + 1) * Height / height;
            for (int column = 0; column < width; column++)
            {
                double left = (double)column * Width / width, right = (double)(column + 1) * Width / width;
                for (int c = 0; c < 3; c++)
                    resized[(((row * width) + column) * 3) + c] = Mean(c, top, bottom, left, right);
            }
        }

        return new(Path, height, width, resized);
    }

    private byte Mean(int channel, double top, double bottom, double left, double right)
    {
        double sum = 0, area = 0;
        for (int y = (int)top; y < bottom && y < Height; y++)
        {
            double high = Math.Min(y + 1, bottom) - Math.Max(y, top);
            for (int x = (int)left; x < right && x < Width; x++)
            {
                double covered = high * (Math.Min(x + 1, right) - Math.Max(x, left));
                sum += covered * Pixels[(((y * Width) + x) * 3) + channel];
                area += covered;
            }
        }

        return (byte)((sum / area) + 0.5);
    }
}
