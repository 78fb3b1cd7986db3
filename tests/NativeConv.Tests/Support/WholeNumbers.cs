namespace NativeConv.Tests.Support;

/// <summary>
/// Convolution and pooling in whole numbers, straight from the definitions: a cell outside the image adds nothing. Float32 results on whole numbers are
/// exact in any order of summation while sums stay below 2^24, so that kernels can be compared with these for equality.
/// </summary>
internal static class WholeNumbers
{
    /// <summary>y = conv(x, w) + b, and the adjoints of conv in x and in w applied to dy, in one walk over all multiplications.</summary>
    public static (int[] Y, int[] Dx, int[] Dw) Convolve(ConvolutionCase c, int[] x, int[] w, int[] b, int[] dy)
    {
        Conv2DGeometry g = c.Geometry;
        int groupInputs = c.InputChannels / c.Groups, groupOutputs = c.OutputChannels / c.Groups;
        int[] y = new int[c.OutputLength], dx = new int[c.InputLength], dw = new int[c.WeightsLength];
        for (int image = 0; image < c.Images; image++)
        {
            for (int row = 0; row < g.OutputHeight; row++)
            {
                for (int column = 0; column < g.OutputWidth; column++)
                {
                    int to = ((((image * g.OutputHeight) + row) * g.OutputWidth) + column) * c.OutputChannels;
                    for (int output = 0; output < c.OutputChannels; output++)
                        y[to + output] = b[output];

                    for (int tapRow = 0; tapRow < g.KernelHeight; tapRow++)
                    {
                        int sourceRow = (row * g.StrideHeight) + (tapRow * g.DilationHeight) - g.PadTop;
                        if (sourceRow < 0 || sourceRow >= g.InputHeight)
                            continue;

                        for (int tapColumn = 0; tapColumn < g.KernelWidth; tapColumn++)
                        {
                            int sourceColumn = (column * g.StrideWidth) + (tapColumn * g.DilationWidth) - g.PadLeft;
                            if (sourceColumn < 0 || sourceColumn >= g.InputWidth)
                                continue;

                            int from = ((((image * g.InputHeight) + sourceRow) * g.InputWidth) + sourceColumn) * c.InputChannels;
                            int tap = ((tapRow * g.KernelWidth) + tapColumn) * groupInputs * c.OutputChannels;
                            for (int output = 0; output < c.OutputChannels; output++)
                            {
                                int first = output / groupOutputs * groupInputs;
                                for (int input = 0; input < groupInputs; input++)
                                {
                                    int i = from + first + input, k = tap + (input * c.OutputChannels) + output, o = to + output;
                                    y[o] += x[i] * w[k];
                                    dx[i] += dy[o] * w[k];
                                    dw[k] += x[i] * dy[o];
                                }
                            }
                        }
                    }
                }
            }
        }

        return (y, dx, dw);
    }

    /// <summary>The largest cell of each window, and dy at the first such cell in row order.</summary>
    public static (int[] Y, int[] Dx) MaxPool(PoolingCase c, int[] x, int[] dy)
    {
        int[] y = new int[c.OutputLength], dx = new int[c.InputLength];
        for (int output = 0; output < y.Length; output++)
        {
            int[] cells = Window(c, output);
            int winner = cells[0];
            foreach (int cell in cells)
                winner = x[cell] > x[winner] ? cell : winner;

            y[output] = x[winner];
            dx[winner] += dy[output];
        }

        return (y, dx);
    }

    /// <summary>Each window's sum over its count of cells, rounded once; and each share of dy, which holds whole multiples of that count, at every cell.</summary>
    public static (float[] Y, int[] Dx) AveragePool(PoolingCase c, int[] x, int[] dy)
    {
        float[] y = new float[c.OutputLength];
        int[] dx = new int[c.InputLength];
        for (int output = 0; output < y.Length; output++)
        {
            int[] cells = Window(c, output);
            y[output] = (float)cells.Sum(cell => x[cell]) / cells.Length;
            foreach (int cell in cells)
                dx[cell] += dy[output] / cells.Length;
        }

        return (y, dx);
    }

    /// <summary>The cells inside the image that an output of a pooling sees, in row order.</summary>
    public static int[] Window(PoolingCase c, int output)
    {
        Conv2DGeometry g = c.Geometry;
        (int pixel, int channel) = Math.DivRem(output, c.Channels);
        (int line, int column) = Math.DivRem(pixel, g.OutputWidth);
        (int image, int row) = Math.DivRem(line, g.OutputHeight);
        return
        [
            .. from tapRow in Enumerable.Range((row * g.StrideHeight) - g.PadTop, g.KernelHeight)
               where tapRow >= 0 && tapRow < g.InputHeight
               from tapColumn in Enumerable.Range((column * g.StrideWidth) - g.PadLeft, g.KernelWidth)
               where tapColumn >= 0 && tapColumn < g.InputWidth
               select (((((image * g.InputHeight) + tapRow) * g.InputWidth) + tapColumn) * c.Channels) + channel,
        ];
    }
}
