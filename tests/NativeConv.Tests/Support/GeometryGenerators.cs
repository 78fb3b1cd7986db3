using FsCheck;
using FsCheck.Fluent;

namespace NativeConv.Tests.Support;

/// <summary>
/// FsCheck's source of sizes: <c>[Property(Arbitrary = [typeof(GeometryGenerators)])]</c> on a test that takes a
/// <see cref="ConvolutionCase"/>, <see cref="DepthwiseCase"/> or <see cref="PoolingCase"/>. Everything that has an axis is drawn apart for
/// rows and columns; channels lie below, at and above every lane count. All have a non-empty output and are small.
/// </summary>
public static class GeometryGenerators
{
    private static readonly int[] Channels = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65];

    // Keeps one oracle pass near ten milliseconds.
    private const long MultiplicationLimit = 2_000_000;

    public static Arbitrary<ConvolutionCase> Convolutions() => Arb.From(
        (from images in Gen.Choose(1, 4)
         from geometry in Geometries
         from groups in Gen.Elements(1, 1, 1, 2, 3, 5, 8)
         from groupInputs in Gen.Elements(Channels)
         from groupOutputs in Gen.Elements(Channels)
         let sizes = new ConvolutionCase(images, geometry, groups * groupInputs, groups * groupOutputs, groups)
         where IsQuick(sizes) && sizes.InputChannels <= 130 && sizes.OutputChannels <= 130
         select sizes),
        Shrink);

    public static Arbitrary<DepthwiseCase> DepthwiseConvolutions() => Arb.From(
        (from images in Gen.Choose(1, 4)
         from geometry in Geometries
         from channels in Gen.Elements(Channels)
         from multiplier in Gen.Elements(1, 1, 1, 2, 3, 4, 8, 17)
         let sizes = new DepthwiseCase(images, geometry, channels, multiplier)
         where IsQuick(sizes.AsConvolution)
         select sizes),
        sizes =>
            from smaller in Smaller(sizes.Images, sizes.Channels, sizes.Multiplier)
            select new DepthwiseCase(smaller[0], sizes.Geometry, smaller[1], smaller[2]));

    public static Arbitrary<PoolingCase> Poolings() => Arb.From(
        (from images in Gen.Choose(1, 4)
         from geometry in Windows(Gen.Constant(1))
         where EveryWindowMeetsTheImage(geometry)
         from channels in Gen.Elements(Channels)
         select new PoolingCase(images, geometry, channels)),
        sizes =>
            from smaller in Smaller(sizes.Images, sizes.Channels)
            select new PoolingCase(smaller[0], sizes.Geometry, smaller[1]));

    private static Gen<Conv2DGeometry> Geometries => Windows(Gen.Elements(1, 1, 2, 3, 4));

    private static Gen<Conv2DGeometry> Windows(Gen<int> dilations) =>
        from inputHeight in Sizes
        from inputWidth in Sizes
        from kernel in Pair(Gen.Choose(1, 5))
        from stride in Pair(Gen.Elements(1, 1, 2, 3))
        from dilation in Pair(dilations)
        from padding in Paddings
        let geometry = Try(inputHeight, inputWidth, kernel, stride, dilation, padding)
        where geometry is not null
        select geometry.Value;

    private static Gen<int> Sizes => Gen.Frequency((1, Gen.Constant(1)), (6, Gen.Choose(2, 14)));

    /// <summary>Same, valid and explicit; pads of up to 9 often exceed the kernel's reach, so that windows see padding alone.</summary>
    private static Gen<Padding> Paddings => Gen.Frequency(
        (2, Gen.Constant(Padding.Same)),
        (1, Gen.Constant(Padding.Valid)),
        (3, from pads in Gen.ArrayOf(Gen.Frequency((4, Gen.Choose(0, 3)), (1, Gen.Choose(4, 9))), 4)
            select Padding.Explicit(pads[0], pads[1], pads[2], pads[3])));

    private static Gen<Size2D> Pair(Gen<int> axis) => from height in axis from width in axis select new Size2D(height, width);

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

    private static bool IsQuick(ConvolutionCase sizes)
    {
        Conv2DGeometry g = sizes.Geometry;
        long reach = (((g.KernelHeight - 1L) * g.DilationHeight) + 1) * (((g.KernelWidth - 1L) * g.DilationWidth) + 1);
        return reach * sizes.OutputLength * (sizes.InputChannels / sizes.Groups) <= MultiplicationLimit;
    }

    private static bool EveryWindowMeetsTheImage(Conv2DGeometry g)
    {
        return Meets(g.OutputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop, g.InputHeight)
            && Meets(g.OutputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft, g.InputWidth);

        static bool Meets(int outputs, int taps, int stride, int dilation, int pad, int inputs) =>
            Enumerable.Range(0, outputs).All(output =>
                Enumerable.Range(0, taps).Any(tap => (output * stride) + (tap * dilation) - pad is var cell && cell >= 0 && cell < inputs));
    }

    private static IEnumerable<ConvolutionCase> Shrink(ConvolutionCase sizes)
    {
        int groups = sizes.Groups;
        return from smaller in Smaller(sizes.Images, groups, sizes.InputChannels / groups, sizes.OutputChannels / groups)
               select new ConvolutionCase(smaller[0], sizes.Geometry, smaller[1] * smaller[2], smaller[1] * smaller[3], smaller[1]);
    }

    /// <summary>The numbers with one of them halved or less by one, none below 1.</summary>
    private static IEnumerable<int[]> Smaller(params int[] numbers) =>
        from i in Enumerable.Range(0, numbers.Length)
        from smaller in new[] { numbers[i] / 2, numbers[i] - 1 }.Distinct()
        where smaller >= 1
        select numbers.Select((number, j) => j == i ? smaller : number).ToArray();
}
