using FluentAssertions;
using Xunit;

namespace NativeConv.Tests.Data;

/// <summary>Drawn digits are made as MNIST's are, so that preparing a picture of one must give it back.</summary>
public sealed class DigitPictureTests
{
    private const int Side = DigitPicture.Side, Length = Side * Side;

    /// <summary>Every pixel a block of dark ink, off the middle of light paper: what comes back differs by rounding, and by what is too faint.</summary>
    [Fact]
    public void TryPrepare_DigitsInBlocksDarkOnLight_GivesTheDigitsBack()
    {
        const int Block = 7, Height = 300, Width = 260;
        Dataset digits = DrawnDigits.Create(100, seed: 5);
        byte[] picture = new byte[Height * Width];
        float[] original = new float[Length], prepared = new float[Length];
        int resized = 0;
        double total = 0;
        for (int i = 0; i < digits.Count; i++)
        {
            digits.CopyImages([i], original);
            Array.Fill(picture, (byte)240);
            for (int row = 0; row < Side * Block; row++)
            {
                for (int column = 0; column < Side * Block; column++)
                    picture[((row + 90) * Width) + column + 9] = (byte)(240 - (200 * original[(row / Block * Side) + (column / Block)] / 255));
            }

            DigitPicture.TryPrepare(picture, new(Height, Width, 1), prepared).Should().BeTrue();

            // Faint pixels at the edge of the ink count for nothing, so that the box may be smaller by a row or column, and the middle may be rounded the other way.
            float most = original.Max();
            if (Extent(original, most / 8) == 20 && Extent(original, 0) == 20)
                ByAtMostOnePixel(prepared, [.. original.Select(o => 255 * o / most)]).Largest.Should().BeLessThan(34, $"digit {i}");
            else
                resized++;

            double difference = ByAtMostOnePixel(prepared, original).Mean;
            difference.Should().BeLessThan(15, $"digit {i}");
            total += difference;
        }

        resized.Should().BeLessThan(25);
        (total / digits.Count).Should().BeLessThan(1);
    }

    /// <summary>The border says what is paper, however much of the picture is ink; a shade that is a tenth of the ink's is no ink.</summary>
    [Fact]
    public void TryPrepare_MostlyInkBesideAFaintShade_IsTheInkAlone()
    {
        const int Size = 50, First = 3, End = 43;
        byte[] picture = new byte[Size * Size];
        Array.Fill(picture, (byte)250);
        for (int row = First; row < End; row++)
        {
            for (int column = First; column < End; column++)
                picture[(row * Size) + column] = 50;

            picture[(row * Size) + 46] = 230;
        }

        float[] digit = new float[Length];
        DigitPicture.TryPrepare(picture, new(Size, Size, 1), digit).Should().BeTrue();
        digit.Should().Equal(Enumerable.Range(0, Length).Select(i => i / Side is >= 4 and < 24 && i % Side is >= 4 and < 24 ? 255f : 0));
    }

    [Fact]
    public void TryPrepare_PreparedDigit_IsAFixedPoint()
    {
        Dataset digits = DrawnDigits.Create(50, seed: 6);
        float[] first = new float[Length], second = new float[Length];
        for (int i = 0; i < digits.Count; i++)
        {
            DigitPicture.TryPrepare(digits.Pixels.Span.Slice(i * Length, Length), new(Side, Side, 1), first).Should().BeTrue();
            byte[] bytes = [.. first.Select(value => (byte)Math.Round(value))];
            DigitPicture.TryPrepare(bytes, new(Side, Side, 1), second).Should().BeTrue();
            ByAtMostOnePixel(second, [.. bytes.Select(level => (float)level)]).Mean.Should().BeLessThan(2.5, $"digit {i}");
            (Middle(second, byRow: true), Middle(second, byRow: false)).Should().Match<(double Row, double Column)>(m => Math.Abs(m.Row - 14) <= 0.5 && Math.Abs(m.Column - 14) <= 0.5);
        }
    }

    /// <summary>The place of every pixel is worked out by hand.</summary>
    [Theory]
    [InlineData(10, 200)]
    [InlineData(200, 10)]
    public void TryPrepare_Bars_FillTheBoxAndAreCentredByMass(byte paper, byte ink)
    {
        // An L of two strokes, 40 high, 20 wide, 10 thick.
        const int Height = 70, Width = 90;
        byte[] picture = new byte[Height * Width];
        Array.Fill(picture, paper);
        for (int row = 20; row < 60; row++)
        {
            for (int column = 50; column < (row < 50 ? 60 : 70); column++)
                picture[(row * Width) + column] = ink;
        }

        float[] digit = new float[Length];
        DigitPicture.TryPrepare(picture, new(Height, Width, 1), digit).Should().BeTrue();

        // Half as large: 20 high, 10 wide, 5 thick. Mass 15*5 above (middle row 7.5, column 2.5) and 5*10 below (17.5, 5): its middle is 11.5 down and 3.5 right.
        const int Top = 2, Left = 10;
        for (int row = 0; row < Side; row++)
        {
            for (int column = 0; column < Side; column++)
            {
                bool isInk = row >= Top && row < Top + 20 && column >= Left && column < Left + (row < Top + 15 ? 5 : 10);
                digit[(row * Side) + column].Should().Be(isInk ? 255 : 0, $"row {row}, column {column}");
            }
        }
    }

    [Fact]
    public void TryPrepare_MassAtOneEnd_StaysInside()
    {
        // A head of 10 x 10 and a tail of 40 pixels' length: the middle of mass is so near the head that the tail would leave the image.
        const int Height = 60, Width = 20;
        byte[] picture = new byte[Height * Width];
        for (int row = 5; row < 55; row++)
        {
            for (int column = row < 15 ? 5 : 10; column < (row < 15 ? 15 : 11); column++)
                picture[(row * Width) + column] = 255;
        }

        float[] digit = new float[Length];
        DigitPicture.TryPrepare(picture, new(Height, Width, 1), digit).Should().BeTrue();
        Extent(digit, 0).Should().Be(20);
        digit.Skip((Side - 1) * Side).Should().Contain(value => value > 0, "the tail ends in the last row");
    }

    [Fact]
    public void TryPrepare_Colours_AreBrightnessAndTransparencyIsWhite()
    {
        byte[] grey = new byte[Length], colours = new byte[3 * Length], transparent = new byte[4 * Length], greyTransparent = new byte[2 * Length];
        for (int i = 0; i < Length; i++)
        {
            // A black bar: as grey on 255; as full opacity where ink is, on transparent red.
            bool isInk = i / Side is >= 4 and < 24 && i % Side is >= 8 and < 12;
            grey[i] = colours[3 * i] = colours[(3 * i) + 1] = colours[(3 * i) + 2] = (byte)(isInk ? 0 : 255);
            transparent[4 * i] = (byte)(isInk ? 0 : 255);
            transparent[(4 * i) + 3] = greyTransparent[(2 * i) + 1] = (byte)(isInk ? 255 : 0);
        }

        float[] expected = Prepare(grey, 1);
        expected.Should().Contain(255);
        Prepare(colours, 3).Should().Equal(expected);
        Prepare(transparent, 4).Should().Equal(expected);
        Prepare(greyTransparent, 2).Should().Equal(expected);

        byte[] levels = new byte[4];
        DigitPicture.ToGrey([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255], new(2, 2, 3), levels);
        levels.Should().Equal(77, 149, 29, 255);
        DigitPicture.ToGrey([100, 255, 100, 0, 100, 128, 0, 255], new(1, 4, 2), levels);
        levels.Should().Equal(100, 255, 177, 0);

        static float[] Prepare(byte[] pixels, int channels)
        {
            float[] digit = new float[Length];
            DigitPicture.TryPrepare(pixels, new(Side, Side, channels), digit).Should().BeTrue();
            return digit;
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(255, 0)]
    [InlineData(128, 31)]
    public void TryPrepare_NothingStandsOut_IsFalseAndLeavesTheResult(byte level, int noise)
    {
        byte[] picture = new byte[50 * 40];
        Array.Fill(picture, level);
        picture[(20 * 40) + 20] = (byte)(level - noise);
        float[] digit = Enumerable.Repeat(7f, Length).ToArray();
        DigitPicture.TryPrepare(picture, new(50, 40, 1), digit).Should().BeFalse();
        digit.Should().OnlyContain(value => value == 7);
        picture[(20 * 40) + 20] = (byte)(level < 128 ? level + 32 : level - 32);
        DigitPicture.TryPrepare(picture, new(50, 40, 1), digit).Should().BeTrue();
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(1000, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    public void TryPrepare_OddSizes_GiveADigit(int height, int width)
    {
        byte[] picture = new byte[height * width];
        picture[^1] = 255;
        if (picture.Length > 2)
            picture[picture.Length / 2] = 255;

        float[] digit = new float[Length];
        DigitPicture.TryPrepare(picture, new(height, width, 1), digit).Should().BeTrue();
        digit.Should().OnlyContain(value => value >= 0 && value <= 255).And.Contain(value => value > 5);
    }

    [Fact]
    public void TryPrepare_WhatDoesNotFit_Throws()
    {
        Invoking(10, new(3, 3, 1), Length).Should().Throw<ArgumentException>().WithParameterName("shape").WithMessage("*3x3x1*10*");
        Invoking(0, new(0, 3, 1), Length).Should().Throw<ArgumentException>().WithParameterName("shape").WithMessage("*0x3x1*");
        Invoking(45, new(3, 3, 5), Length).Should().Throw<ArgumentException>().WithParameterName("shape").WithMessage("*1 to 4*");
        Invoking(0, new(1 << 30, 1 << 30, 4), Length).Should().Throw<ArgumentException>().WithParameterName("shape");
        Invoking(9, new(3, 3, 1), 783).Should().Throw<ArgumentException>().WithParameterName("digit").WithMessage("*783*");
        FluentActions.Invoking(() => DigitPicture.ToGrey(new byte[9], new(3, 3, 1), new byte[8])).Should().Throw<ArgumentException>().WithParameterName("grey");

        static Action Invoking(int values, ImageShape shape, int room) =>
            () => DigitPicture.TryPrepare(new byte[values], shape, new float[room]);
    }

    /// <summary>How far a digit is from another, moved by a pixel at most so that it is nearest.</summary>
    private static (float Largest, double Mean) ByAtMostOnePixel(float[] digit, float[] other)
    {
        return Enumerable.Range(0, 9).Select(move => Differences(move / 3 - 1, move % 3 - 1)).MinBy(difference => difference.Mean);

        (float Largest, double Mean) Differences(int down, int right)
        {
            float[] differences =
            [
                .. Enumerable.Range(0, Length).Select(i => Math.Abs(
                    digit[i] - ((i / Side) - down is >= 0 and < Side and var row && (i % Side) - right is >= 0 and < Side and var column ? other[(row * Side) + column] : 0))),
            ];
            return (differences.Max(), differences.Average());
        }
    }

    /// <summary>The longer side of the box around what is brighter than a level.</summary>
    private static int Extent(float[] digit, float level)
    {
        int[] inked = [.. Enumerable.Range(0, Length).Where(i => digit[i] > level)];
        int rows = inked.Max(i => i / Side) - inked.Min(i => i / Side) + 1, columns = inked.Max(i => i % Side) - inked.Min(i => i % Side) + 1;
        return Math.Max(rows, columns);
    }

    private static double Middle(float[] digit, bool byRow) =>
        Enumerable.Range(0, Length).Sum(i => digit[i] * ((byRow ? i / Side : i % Side) + 0.5)) / digit.Sum();
}
