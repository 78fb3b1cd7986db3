namespace NativeConv.Kernels;

/// <summary>
/// Positions of a result along one axis that share the taps inside the image: result First + i*Step reads, for tap j of Taps,
/// source cell Source + i*SourceStep + j*SourceTapStep and kernel tap FirstTap + j*TapStep.
/// </summary>
internal readonly record struct WindowRun(
    int First, int Step, int Count, int Source, int SourceStep, int FirstTap, int TapStep, int Taps, int SourceTapStep)
{
    /// <summary>The positions whose place i along the axis, First / Step + i, leaves a remainder when divided by <paramref name="step"/>.</summary>
    public WindowRun Every(int step, int remainder)
    {
        int skipped = (((remainder - (First / Step)) % step) + step) % step;
        return this with
        {
            First = First + (skipped * Step),
            Step = Step * step,
            Count = Math.Max(0, (Count - skipped + step - 1) / step),
            Source = Source + (skipped * SourceStep),
            SourceStep = SourceStep * step,
        };
    }

    /// <summary>The positions from <paramref name="first"/> up to <paramref name="end"/>.</summary>
    public WindowRun Slice(int first, int end) => this with { First = First + (first * Step), Source = Source + (first * SourceStep), Count = end - first };

    /// <summary>The positions that lie from <paramref name="start"/> up to <paramref name="end"/> along the axis.</summary>
    public WindowRun Between(int start, int end) => Slice(Reached(start), Reached(end));

    /// <summary>How many positions lie before one.</summary>
    private int Reached(int position) => Math.Clamp((position - First + Step - 1) / Step, 0, Count);

    /// <summary>One position without the taps that lie outside the source.</summary>
    public WindowRun Inside(int sources)
    {
        int before = 0, taps = Taps;
        while (before < taps && (uint)(Source + (before * SourceTapStep)) >= (uint)sources)
            before++;

        while (taps > before && (uint)(Source + ((taps - 1) * SourceTapStep)) >= (uint)sources)
            taps--;

        return this with { Source = Source + (before * SourceTapStep), FirstTap = FirstTap + (before * TapStep), Taps = taps - before };
    }

    /// <summary>One share of the positions, in whole units but for the last.</summary>
    public WindowRun Slice(Share share, int unit = 1)
    {
        (int first, int end) = share.Of((Count + unit - 1) / unit);
        return Slice(Math.Min(first * unit, Count), Math.Min(end * unit, Count));
    }

    /// <summary>The run in blocks of nearly equal size, none longer than <paramref name="most"/> or a unit, all but the last of whole units.</summary>
    public IEnumerable<WindowRun> Blocks(int most, int unit = 1)
    {
        int units = (Count + unit - 1) / unit, mostUnits = Math.Max(1, most / unit), blocks = (units + mostUnits - 1) / mostUnits;
        for (int block = 0, first = 0; block < blocks; block++)
        {
            int end = first + ((units - first + blocks - block - 1) / (blocks - block));
            yield return Slice(first * unit, Math.Min(end * unit, Count));
            first = end;
        }
    }
}

/// <summary>
/// Cuts the positions of an axis into runs whose taps inside the image are the same. Taps outside are never touched: no halo, no
/// zero row. An input gradient is the same thing with the roles of input and output exchanged: for stride s its positions fall into s residues,
/// each with its own progression of taps.
/// </summary>
internal static class WindowAxis
{
    public static WindowRun[] ForwardRows(in Conv2DGeometry g) =>
        Forward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop);

    public static WindowRun[] ForwardColumns(in Conv2DGeometry g) =>
        Forward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft);

    public static WindowRun[] BackwardRows(in Conv2DGeometry g) =>
        Backward(g.OutputHeight, g.InputHeight, g.KernelHeight, g.StrideHeight, g.DilationHeight, g.PadTop);

    public static WindowRun[] BackwardColumns(in Conv2DGeometry g) =>
        Backward(g.OutputWidth, g.InputWidth, g.KernelWidth, g.StrideWidth, g.DilationWidth, g.PadLeft);

    private static WindowRun[] Forward(int outputs, int inputs, int taps, int stride, int dilation, int pad)
    {
        var runs = new List<WindowRun>();
        for (int first = 0; first < outputs;)
        {
            (int firstTap, int endTap) = Conv2DGeometry.ValidTaps(first, stride, dilation, pad, taps, inputs);
            int end = first + 1;
            while (end < outputs && Conv2DGeometry.ValidTaps(end, stride, dilation, pad, taps, inputs) == (firstTap, endTap))
                end++;

            int source = (first * stride) - pad + (firstTap * dilation);
            runs.Add(new(first, 1, end - first, source, stride, firstTap, 1, endTap - firstTap, dilation));
            first = end;
        }

        return [.. runs];
    }

    private static WindowRun[] Backward(int outputs, int inputs, int taps, int stride, int dilation, int pad)
    {
        int divisor = GreatestCommonDivisor(stride, dilation);
        int tapStep = stride / divisor, sourceTapStep = dilation / divisor;
        var runs = new List<WindowRun>();
        for (int residue = 0; residue < Math.Min(stride, inputs); residue++)
        {
            int count = (inputs - residue + stride - 1) / stride;
            int firstTap = 0;
            while (firstTap < Math.Min(tapStep, taps) && (residue + pad - (firstTap * dilation)) % stride != 0)
                firstTap++;

            int progression = firstTap < Math.Min(tapStep, taps) ? ((taps - firstTap - 1) / tapStep) + 1 : 0;
            int origin = progression > 0 ? (residue + pad - (firstTap * dilation)) / stride : 0;
            for (int first = 0; first < count;)
            {
                (int Start, int End) valid = Valid(origin + first, sourceTapStep, progression, outputs);
                int end = first + 1;
                while (end < count && Valid(origin + end, sourceTapStep, progression, outputs) == valid)
                    end++;

                runs.Add(new(
                    residue + (first * stride), stride, end - first, origin + first - (valid.Start * sourceTapStep), 1,
                    firstTap + (valid.Start * tapStep), tapStep, valid.End - valid.Start, -sourceTapStep));
                first = end;
            }
        }

        return [.. runs];
    }

    /// <summary>The taps j of a descending progression with 0 &lt;= origin - j*step &lt; outputs.</summary>
    private static (int Start, int End) Valid(int origin, int step, int taps, int outputs)
    {
        int start = origin < outputs ? 0 : (origin - outputs + step) / step;
        int end = origin < 0 ? 0 : Math.Min(taps, (origin / step) + 1);
        return start >= end ? (0, 0) : (start, end);
    }

    public static int GreatestCommonDivisor(int a, int b)
    {
        while (b != 0)
            (a, b) = (b, a % b);

        return a;
    }
}
