namespace NativeConv.Tests.Support;

/// <summary>
/// Convolution in double precision by an algorithm that shares nothing with the kernels: the image is copied into a padded one and zeros
/// are put between the taps of the kernel, so that neither padding nor dilation exist in the loop. A depthwise convolution is one
/// with a group a channel (<see cref="DepthwiseCase.AsConvolution"/>).
/// </summary>
public static class ConvolutionOracle
{
    /// <summary>y = conv(x, w) + b.</summary>
    public static double[] Forward(ConvolutionCase sizes, double[] x, double[] w, double[]? b = null)
    {
        double[] image = Pad(sizes, x), kernel = Stuff(sizes, w), y = new double[sizes.OutputLength];
        if (b is not null)
        {
            for (int i = 0; i < y.Length; i++)
                y[i] = b[i % b.Length];
        }

        Walk(sizes, new IntoOutput(), y, image, kernel);
        return y;
    }

    /// <summary>dx: the adjoint of <see cref="Forward"/> in x, applied to dy.</summary>
    public static double[] BackwardInput(ConvolutionCase sizes, double[] w, double[] dy)
    {
        double[] image = new double[PaddedLength(sizes)], kernel = Stuff(sizes, w);
        Walk(sizes, new IntoImage(), dy, image, kernel);
        return Crop(sizes, image);
    }

    /// <summary>dw: the adjoint of <see cref="Forward"/> in w, applied to dy.</summary>
    public static double[] BackwardWeights(ConvolutionCase sizes, double[] x, double[] dy)
    {
        double[] image = Pad(sizes, x), kernel = new double[StuffedLength(sizes)];
        Walk(sizes, new IntoKernel(), dy, image, kernel);
        return Unstuff(sizes, kernel);
    }

    /// <summary>db: dy summed over images and pixels.</summary>
    public static double[] BackwardBias(int channels, double[] dy)
    {
        var db = new double[channels];
        for (int i = 0; i < dy.Length; i++)
            db[i % channels] += dy[i];
        return db;
    }

    /// <summary>Every multiplication of a padded image with a kernel whose gaps hold zeros.</summary>
    private static void Walk<TInto>(ConvolutionCase sizes, TInto into, double[] y, double[] image, double[] kernel)
        where TInto : struct, IInto
    {
        Conv2DGeometry g = sizes.Geometry;
        (int height, int width) = PaddedSize(g);
        (int tapRows, int tapColumns) = StuffedSize(g);
        int inputs = sizes.InputChannels, outputs = sizes.OutputChannels;
        int groupInputs = inputs / sizes.Groups, groupOutputs = outputs / sizes.Groups;
        for (int pixel = 0; pixel < sizes.Images * g.OutputPixels; pixel++)
        {
            (int imageRow, int outputColumn) = Math.DivRem(pixel, g.OutputWidth);
            (int index, int outputRow) = Math.DivRem(imageRow, g.OutputHeight);
            int corner = (((index * height) + (outputRow * g.StrideHeight)) * width) + (outputColumn * g.StrideWidth);
            for (int cell = 0; cell < tapRows * tapColumns; cell++)
            {
                (int tapRow, int tapColumn) = Math.DivRem(cell, tapColumns);
                int padded = (corner + (tapRow * width) + tapColumn) * inputs;
                for (int input = 0; input < inputs; input++)
                {
                    (int group, int groupInput) = Math.DivRem(input, groupInputs);
                    int tap = ((cell * groupInputs) + groupInput) * outputs;
                    for (int output = group * groupOutputs; output < (group + 1) * groupOutputs; output++)
                        into.Add(ref y[(pixel * outputs) + output], ref image[padded + input], ref kernel[tap + output]);
                }
            }
        }
    }

    private static double[] Pad(ConvolutionCase sizes, double[] x)
    {
        var image = new double[PaddedLength(sizes)];
        Rows(sizes, (inside, padded, length) => Array.Copy(x, inside, image, padded, length));
        return image;
    }

    private static double[] Crop(ConvolutionCase sizes, double[] image)
    {
        var x = new double[sizes.InputLength];
        Rows(sizes, (inside, padded, length) => Array.Copy(image, padded, x, inside, length));
        return x;
    }

    private static void Rows(ConvolutionCase sizes, Action<int, int, int> copy)
    {
        Conv2DGeometry g = sizes.Geometry;
        (int height, int width) = PaddedSize(g);
        int length = g.InputWidth * sizes.InputChannels;
        for (int image = 0; image < sizes.Images; image++)
        {
            for (int row = 0; row < g.InputHeight; row++)
            {
                int pixel = (((image * height) + g.PadTop + row) * width) + g.PadLeft;
                copy(((image * g.InputHeight) + row) * length, pixel * sizes.InputChannels, length);
            }
        }
    }

    private static double[] Stuff(ConvolutionCase sizes, double[] w)
    {
        var kernel = new double[StuffedLength(sizes)];
        Taps(sizes, (tap, stuffed, length) => Array.Copy(w, tap, kernel, stuffed, length));
        return kernel;
    }

    private static double[] Unstuff(ConvolutionCase sizes, double[] kernel)
    {
        var w = new double[sizes.WeightsLength];
        Taps(sizes, (tap, stuffed, length) => Array.Copy(kernel, stuffed, w, tap, length));
        return w;
    }

    private static void Taps(ConvolutionCase sizes, Action<int, int, int> copy)
    {
        Conv2DGeometry g = sizes.Geometry;
        int columns = StuffedSize(g).Width, length = TapLength(sizes);
        for (int row = 0; row < g.KernelHeight; row++)
        {
            for (int column = 0; column < g.KernelWidth; column++)
            {
                int stuffed = (row * g.DilationHeight * columns) + (column * g.DilationWidth);
                copy(((row * g.KernelWidth) + column) * length, stuffed * length, length);
            }
        }
    }

    private static (int Height, int Width) PaddedSize(Conv2DGeometry g) =>
        (g.PadTop + g.InputHeight + g.PadBottom, g.PadLeft + g.InputWidth + g.PadRight);

    private static (int Height, int Width) StuffedSize(Conv2DGeometry g) =>
        (((g.KernelHeight - 1) * g.DilationHeight) + 1, ((g.KernelWidth - 1) * g.DilationWidth) + 1);

    private static int TapLength(ConvolutionCase sizes) => sizes.InputChannels / sizes.Groups * sizes.OutputChannels;

    private static int PaddedLength(ConvolutionCase sizes)
    {
        (int height, int width) = PaddedSize(sizes.Geometry);
        return sizes.Images * height * width * sizes.InputChannels;
    }

    private static int StuffedLength(ConvolutionCase sizes)
    {
        (int height, int width) = StuffedSize(sizes.Geometry);
        return height * width * TapLength(sizes);
    }

    /// <summary>Which of the three takes the product of the other two: a type, so that the loop is compiled for each.</summary>
    private interface IInto
    {
        void Add(ref double y, ref double x, ref double w);
    }

    private readonly struct IntoOutput : IInto
    {
        public void Add(ref double y, ref double x, ref double w) => y += x * w;
    }

    private readonly struct IntoImage : IInto
    {
        public void Add(ref double y, ref double x, ref double w) => x += y * w;
    }

    private readonly struct IntoKernel : IInto
    {
        public void Add(ref double y, ref double x, ref double w) => w += y * x;
    }
}
