using FluentAssertions;
using FsCheck.Xunit;
using NativeConv.Tests.Support;
using Xunit;

namespace NativeConv.Tests.Tensors;

public sealed class Conv2DGeometryTests
{
    private static readonly int[] Inputs = [1, 2, 3, 5, 8, 11];
    private static readonly int[] Steps = [1, 2, 3, 4];

    /// <summary>Brute force: pads laid around the cells, and windows moved until one no longer fits.</summary>
    private static int CountWindows(int input, int before, int after, int taps, int stride, int dilation)
    {
        bool[] cells = new bool[before + input + after];
        int count = 0;
        for (int start = 0; start + ((taps - 1) * dilation) < cells.Length; start += stride)
            count++;
        return count;
    }

    [Fact]
    public void Valid_EveryAxis_CountsTheWindowsThatFit()
    {
        foreach ((int input, int taps, int stride, int dilation) in Axes())
            CheckAxis(input, taps, stride, dilation, Padding.Valid, 0, 0);
    }

    [Fact]
    public void Explicit_EveryAxis_CountsTheWindowsThatFit()
    {
        foreach ((int input, int taps, int stride, int dilation) in Axes())
        {
            foreach ((int before, int after) in new[] { (0, 1), (2, 0), (3, 1), (9, 0), (0, 12) })
                CheckAxis(input, taps, stride, dilation, Padding.Explicit(before, after, before, after), before, after);
        }
    }

    /// <summary>Same means the fewest pads that give ceil(input / stride) windows, the odd one after.</summary>
    [Fact]
    public void Same_EveryAxis_HasTheFewestPadsForItsOutput()
    {
        foreach ((int input, int taps, int stride, int dilation) in Axes())
        {
            var geometry = new Conv2DGeometry(input, input, taps, stride, dilation, Padding.Same);
            string because = $"{input} cells, {taps} taps, stride {stride}, dilation {dilation}";
            int wanted = Enumerable.Range(0, input).Count(cell => cell % stride == 0);
            int fewest = Enumerable.Range(0, 100).First(pads => CountWindows(input, 0, pads, taps, stride, dilation) >= wanted);
            geometry.OutputHeight.Should().Be(wanted, because);
            (geometry.PadTop + geometry.PadBottom).Should().Be(fewest, because);
            (geometry.PadBottom - geometry.PadTop).Should().Be(fewest % 2, because);
            (geometry.OutputWidth, geometry.PadLeft, geometry.PadRight).Should().Be(
                (geometry.OutputHeight, geometry.PadTop, geometry.PadBottom), because);
        }
    }

    [Fact]
    public void Axes_OfDifferentSizes_AreKeptApart()
    {
        var geometry = new Conv2DGeometry(10, 20, new(3, 5), new(2, 3), new(2, 1), Padding.Explicit(1, 2, 3, 4));
        geometry.Should().BeEquivalentTo(new
        {
            InputHeight = 10,
            InputWidth = 20,
            KernelHeight = 3,
            KernelWidth = 5,
            StrideHeight = 2,
            StrideWidth = 3,
            DilationHeight = 2,
            DilationWidth = 1,
            PadTop = 1,
            PadBottom = 2,
            PadLeft = 3,
            PadRight = 4,
            OutputHeight = 5,
            OutputWidth = 8,
        });
        geometry.InputPixels.Should().Be(200);
        geometry.OutputPixels.Should().Be(40);
    }

    [Fact]
    public void ValidTaps_EveryAxis_AreTheTapsInsideTheInput()
    {
        foreach ((int input, int taps, int stride, int dilation) in Axes())
        {
            for (int pad = 0; pad <= 12; pad += 3)
            {
                for (int output = 0; output < 12; output++)
                {
                    int origin = (output * stride) - pad;
                    bool IsInside(int tap) => origin + (tap * dilation) is >= 0 and var cell && cell < input;
                    int[] inside = [.. Enumerable.Range(0, taps).Where(IsInside)];
                    (int first, int end) = Conv2DGeometry.ValidTaps(output, stride, dilation, pad, taps, input);
                    Enumerable.Range(first, end - first).Should().Equal(
                        inside, $"input {input}, taps {taps}, stride {stride}, dilation {dilation}, pad {pad}, output {output}");
                    if (inside.Length == 0)
                        (first, end).Should().Be((0, 0));
                }
            }
        }
    }

    [Property(Arbitrary = [typeof(GeometryGenerators)])]
    public void ValidRowAndColumnTaps_AnyGeometry_UseTheirOwnAxis(PoolingCase sizes)
    {
        Conv2DGeometry g = sizes.Geometry;
        for (int row = 0; row < g.OutputHeight; row++)
        {
            g.ValidRowTaps(row).Should().Be(
                Conv2DGeometry.ValidTaps(row, g.StrideHeight, g.DilationHeight, g.PadTop, g.KernelHeight, g.InputHeight));
        }

        for (int column = 0; column < g.OutputWidth; column++)
        {
            g.ValidColumnTaps(column).Should().Be(
                Conv2DGeometry.ValidTaps(column, g.StrideWidth, g.DilationWidth, g.PadLeft, g.KernelWidth, g.InputWidth));
        }
    }

    [Fact]
    public void ValidTaps_NearTheEndOfInt_DoNotOverflow() =>
        Conv2DGeometry.ValidTaps(int.MaxValue, int.MaxValue, int.MaxValue, 0, 3, int.MaxValue).Should().Be((0, 0));

    [Theory]
    [InlineData(1, 1, 1, 0, true)]
    [InlineData(3, 1, 1, 0, false)]
    [InlineData(1, 2, 1, 0, false)]
    [InlineData(1, 1, 3, 0, true)]
    [InlineData(1, 1, 1, 1, false)]
    public void IsPointwise_OneCellAtEveryPixel_Only(int kernel, int stride, int dilation, int pad, bool expected) =>
        new Conv2DGeometry(5, 7, kernel, stride, dilation, Padding.Explicit(0, pad, 0, 0)).IsPointwise.Should().Be(expected);

    [Theory]
    [InlineData(2, 9, 3, 1)]
    [InlineData(9, 2, 3, 1)]
    [InlineData(6, 6, 4, 2)]
    public void Constructor_EmptyOutput_NamesTheSizes(int height, int width, int kernel, int dilation) =>
        FluentActions.Invoking(() => new Conv2DGeometry(height, width, kernel, 1, dilation, Padding.Valid))
            .Should().Throw<ArgumentException>().WithMessage($"*{kernel}x{kernel}*{dilation}x{dilation}*valid*{height}x{width}*empty*");

    [Theory]
    [InlineData(0, 5, 1, 1, 1, "input")]
    [InlineData(5, -1, 1, 1, 1, "input")]
    [InlineData(5, 5, 0, 1, 1, "kernel")]
    [InlineData(5, 5, 1, 0, 1, "stride")]
    [InlineData(5, 5, 1, 1, -2, "dilation")]
    public void Constructor_SizeBelowOne_NamesIt(int height, int width, int kernel, int stride, int dilation, string what) =>
        FluentActions.Invoking(() => new Conv2DGeometry(height, width, new(1, kernel), new(stride, 1), new(1, dilation), Padding.Same))
            .Should().Throw<ArgumentException>().WithMessage($"*{what}*");

    [Fact]
    public void Constructor_HugeKernel_ThrowsInsteadOfOverflowing()
    {
        foreach (Padding padding in new[] { Padding.Same, Padding.Valid, Padding.Explicit(int.MaxValue, int.MaxValue, 0, 0) })
        {
            FluentActions.Invoking(() => new Conv2DGeometry(5, 5, int.MaxValue, 1, int.MaxValue, padding))
                .Should().Throw<ArgumentException>();
        }
    }

    [Fact]
    public void Padding_Named_SaysWhatItIs()
    {
        default(Padding).Should().Be(Padding.Same);
        (Padding.Same.IsSame, Padding.Same.IsValid, Padding.Same.ToString()).Should().Be((true, false, "same"));
        (Padding.Valid.IsSame, Padding.Valid.IsValid, Padding.Valid.ToString()).Should().Be((false, true, "valid"));
        Padding.Explicit(1, 2, 3, 4).ToString().Should().Be("1,2,3,4");
        FluentActions.Invoking(() => Padding.Explicit(0, 0, -1, 0)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("left");
    }

    private static IEnumerable<(int Input, int Taps, int Stride, int Dilation)> Axes() =>
        from input in Inputs
        from taps in Steps
        from stride in Steps
        from dilation in Steps
        select (input, taps, stride, dilation);

    private static void CheckAxis(int input, int taps, int stride, int dilation, Padding padding, int before, int after)
    {
        int expected = CountWindows(input, before, after, taps, stride, dilation);
        string because = $"{input} cells, {taps} taps, stride {stride}, dilation {dilation}, pads {before} and {after}";

        // One axis at a time; the other always has exactly one window.
        Func<Conv2DGeometry> rows = () => new(input, 1, new(taps, 1), new(stride, 99), new(dilation, 1), padding);
        Func<Conv2DGeometry> columns = () => new(1, input, new(1, taps), new(99, stride), new(1, dilation), padding);
        if (expected == 0)
        {
            rows.Should().Throw<ArgumentException>(because);
            columns.Should().Throw<ArgumentException>(because);
        }
        else
        {
            rows().OutputHeight.Should().Be(expected, because);
            columns().OutputWidth.Should().Be(expected, because);
        }
    }
}
