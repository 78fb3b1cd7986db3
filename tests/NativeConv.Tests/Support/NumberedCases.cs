using NativeConv.Random;

namespace NativeConv.Tests.Support;

/// <summary>What kind of geometry is drawn.</summary>
public enum CaseFamily
{
    /// <summary>A depthwise convolution of one output a channel.</summary>
    Depthwise,

    /// <summary>A depthwise convolution of several outputs a channel.</summary>
    Multiplied,

    /// <summary>One tap, stride 1, no padding.</summary>
    Pointwise,

    /// <summary>Any window, grouped or not.</summary>
    Dense,

    /// <summary>One pixel, one tap.</summary>
    FullyConnected,

    /// <summary>Max and average pooling.</summary>
    Pooling,
}

/// <summary>
/// Small geometries by number: the n-th case of a family follows from a seed and n alone, so that any one can be replayed. They are far cheaper than those
/// of <see cref="GeometryGenerators"/>, for tens of thousands of them are run.
/// </summary>
internal static class NumberedCases
{
    /// <summary>Most multiplications of a case.</summary>
    private const long MultiplicationLimit = 20_000;

    private static readonly int[] Channels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 97, 128, 130];

    public static ConvolutionCase Convolution(CaseFamily family, ulong seed, int number)
    {
        RandomStream random = TestData.Stream(seed, Index(family, number));
        while (true)
        {
            int channels = Pick(ref random, Channels), images = Between(ref random, 1, 3);
            if (Draw(ref random, family, seed, number) is not { } geometry)
                continue;

            ConvolutionCase c = family switch
            {
                CaseFamily.Depthwise => new(images, geometry, channels, channels, channels),
                CaseFamily.Multiplied => new DepthwiseCase(images, geometry, channels, Pick(ref random, [2, 2, 3, 4, 5, 8, 17])).AsConvolution,
                CaseFamily.Dense when random.NextBelow(4) == 0 && Between(ref random, 2, 5) is int groups =>
                    new(images, geometry, groups * Between(ref random, 1, 17), groups * Between(ref random, 1, 17), groups),
                CaseFamily.FullyConnected => new(Between(ref random, 1, 9), geometry, channels, Pick(ref random, Channels), 1),
                _ => new(images, geometry, channels, Pick(ref random, Channels), 1),
            };
            if ((long)images * geometry.OutputPixels * c.WeightsLength <= MultiplicationLimit)
                return c;
        }
    }

    public static PoolingCase Pooling(ulong seed, int number)
    {
        RandomStream random = TestData.Stream(seed, Index(CaseFamily.Pooling, number));
        while (true)
        {
            if (Draw(ref random, CaseFamily.Pooling, seed, number) is { } geometry && EveryWindowMeetsTheImage(geometry))
                return new(Between(ref random, 1, 3), geometry, Pick(ref random, Channels[..20]));
        }
    }

    private static ulong Index(CaseFamily family, int number) => ((ulong)family << 40) | (uint)number;

    /// <summary>
    /// A geometry whose rows and columns come from a store of axes that grows with the number: each axis that is new makes the compiler translate kernels
    /// of its own, which takes a thousand times longer than to run them.
    /// </summary>
    private static Conv2DGeometry? Draw(ref RandomStream random, CaseFamily family, ulong seed, int number)
    {
        if (family == CaseFamily.FullyConnected)
            return new(1, 1, 1, 1, 1, Padding.Valid);

        if (family == CaseFamily.Pointwise)
            return new(Between(ref random, 1, 11), Between(ref random, 1, 11), 1, 1, 1, Padding.Valid);

        uint axes = 12 + ((uint)number / 200);
        Axis rows = Axis.Of(seed, random.NextBelow(axes)), columns = Axis.Of(seed, random.NextBelow(axes));
        bool pooling = family == CaseFamily.Pooling;
        Padding padding = random.NextBelow(3) switch
        {
            0 => Padding.Same,
            1 => Padding.Valid,
            _ => Padding.Explicit(rows.Before, rows.After, columns.Before, columns.After),
        };
        // Most draws fit; asking first spares the many exceptions of those that do not.
        return padding != Padding.Valid || (rows.FitsUnpadded && columns.FitsUnpadded)
            ? Try(
                rows.Size, columns.Size, new(rows.Taps, columns.Taps), new(rows.Stride, columns.Stride),
                pooling ? new Size2D(1, 1) : new Size2D(rows.Dilation, columns.Dilation), padding)
            : null;
    }

    private static Conv2DGeometry? Try(int height, int width, Size2D kernel, Size2D stride, Size2D dilation, Padding padding)
    {
        try
        {
            return new(height, width, kernel, stride, dilation, padding);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool EveryWindowMeetsTheImage(Conv2DGeometry g) =>
        Enumerable.Range(0, g.OutputPixels).All(pixel => WholeNumbers.Window(new(1, g, 1), pixel).Length > 0);

    private static int Between(ref RandomStream random, int low, int high) => low + (int)random.NextBelow((uint)(high - low + 1));

    private static int Pick(ref RandomStream random, int[] values) => values[random.NextBelow((uint)values.Length)];

    /// <summary>What a geometry says of one direction.</summary>
    private readonly record struct Axis(int Size, int Taps, int Stride, int Dilation, int Before, int After)
    {
        public bool FitsUnpadded => ((Taps - 1) * Dilation) + 1 <= Size;

        public static Axis Of(ulong seed, uint index)
        {
            RandomStream random = TestData.Stream(seed, (1UL << 48) | index);
            return new(
                Between(ref random, 1, 11), Pick(ref random, [1, 2, 3, 3, 4, 5, 7]), Pick(ref random, [1, 1, 1, 2, 3, 4]), Pick(ref random, [1, 1, 2, 3, 4]),
                Between(ref random, 0, 4), Pick(ref random, [0, 1, 2, 3, 9]));
        }
    }
}
