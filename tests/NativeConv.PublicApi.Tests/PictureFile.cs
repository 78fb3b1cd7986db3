using StbImageWriteSharp;

namespace NativeConv.PublicApi.Tests;

/// <summary>Pictures as files.</summary>
internal static class PictureFile
{
    /// <summary>Writes a PNG file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="shape">Their shape; 1 to 4 channels.</param>
    public static void WritePng(string path, byte[] pixels, ImageShape shape)
    {
        using FileStream file = File.Create(path);
        new ImageWriter().WritePng(pixels, shape.Width, shape.Height, (ColorComponents)shape.Channels, file);
    }

    /// <summary>Writes a JPEG file of good quality.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="shape">Their shape; 1 or 3 channels.</param>
    public static void WriteJpeg(string path, byte[] pixels, ImageShape shape)
    {
        using FileStream file = File.Create(path);
        new ImageWriter().WriteJpg(pixels, shape.Width, shape.Height, (ColorComponents)shape.Channels, file, 85);
    }

    /// <summary>A digit of 28 x 28 pixels as dark ink on light paper, seven times as large, off the middle of 300 x 260 pixels.</summary>
    public static (byte[] Pixels, ImageShape Shape) OnPaper(ReadOnlySpan<float> digit)
    {
        const int Side = 28, Block = 7, Height = 300, Width = 260, Down = 90, Right = 9, Paper = 240, Ink = 200;
        byte[] picture = new byte[Height * Width];
        Array.Fill(picture, (byte)Paper);
        for (int row = 0; row < Side * Block; row++)
        {
            for (int column = 0; column < Side * Block; column++)
                picture[((row + Down) * Width) + column + Right] = (byte)(Paper - (Ink * digit[(row / Block * Side) + (column / Block)] / 255));
        }

        return (picture, new(Height, Width, 1));
    }
}
