using System.Buffers.Binary;
using NativeConv;
using StbImageSharp;

namespace MnistTrainer;

/// <summary>A picture read from a PNG, JPEG, BMP, GIF or TGA file; what is transparent is white.</summary>
/// <param name="Path">The file.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Pixels">[height, width, 3]: red, green, blue.</param>
internal sealed record ImageFile(string Path, int Height, int Width, byte[] Pixels)
{
    private const long MostPixels = 1 << 26;
    private static readonly HashSet<string> Extensions = new([".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tga"], StringComparer.OrdinalIgnoreCase);

    /// <summary>[height, width, 3].</summary>
    public ImageShape Shape => new(Height, Width, 3);

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

            if (IsTruncatedJpeg(file))
                throw new InvalidDataException($"{path}, byte {file.Length}: the picture is broken: the file ends before the JPEG's end marker.");

            ImageResult image = ImageResult.FromMemory(file, ColorComponents.RedGreenBlueAlpha);
            return new(path, image.Height, image.Width, OverWhite(image.Data));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException or OverflowException or EndOfStreamException)
        {
            // What the decoder throws at broken files.
            throw new InvalidDataException($"{path}: the picture is broken or cut short.", e);
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
        DigitPicture.ToGrey(Pixels, Shape, grey);
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

    private static byte[] OverWhite(byte[] pixels)
    {
        byte[] colours = new byte[pixels.Length / 4 * 3];
        for (int from = 0, to = 0; to < colours.Length; from += 4, to += 3)
        {
            int opacity = pixels[from + 3], white = (255 * (255 - opacity)) + 127;
            for (int c = 0; c < 3; c++)
                colours[to + c] = (byte)(((pixels[from + c] * opacity) + white) / 255);
        }

        return colours;
    }

    /// <summary>Whether the file is a JPEG that stops before its end marker: the decoder would make up the rest. Segments are stepped over, for a preview in one has an end of its own.</summary>
    private static bool IsTruncatedJpeg(ReadOnlySpan<byte> file)
    {
        const byte Escape = 0xFF, Start = 0xD8, End = 0xD9, FirstRestart = 0xD0;
        if (file is not [Escape, Start, ..])
            return false;

        int at = 2;
        while (at + 1 < file.Length)
        {
            byte marker = file[at + 1];
            if (file[at] != Escape || marker == Escape)
                at++;
            else if (marker == End)
                return false;
            else if (marker is <= 1 or (>= FirstRestart and <= Start) || at + 3 >= file.Length)
                at += 2;
            else
                at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
        }

        return true;
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
