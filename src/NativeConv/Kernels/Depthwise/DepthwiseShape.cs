namespace NativeConv.Kernels;

/// <summary>What the passes of a depthwise convolution decide by its shape alone.</summary>
internal static class DepthwiseShape
{
    /// <summary>Below so many channels vectors run along the row.</summary>
    public const int FewChannels = 16;

    public static bool IsAlongRow(in Conv2DGeometry geometry, int channels) => channels < FewChannels && geometry.StrideWidth == 1;

    /// <summary>Runs of rows, cut so that rows that share their source rows follow each other: a run for each residue by the dilation.</summary>
    public static WindowRun[] ByResidue(WindowRun[] runs, in Conv2DGeometry g)
    {
        int residues = g.DilationHeight / WindowAxis.GreatestCommonDivisor(g.StrideHeight, g.DilationHeight);
        return [.. Enumerable.Range(0, residues).SelectMany(residue => runs.Select(run => run.Every(residues, residue))).Where(run => run.Count > 0)];
    }

    /// <summary>Whether a line's source rows, but for one, are those of the next line of its run.</summary>
    public static bool SharesRows(WindowRun[] runs, in Conv2DGeometry g) =>
        g.KernelHeight == PairedDepthwiseMicroKernel.Taps && runs.All(run => run.SourceStep == Math.Abs(run.SourceTapStep));

    /// <summary>
    /// The same with a line at either end that lacks one tap joined to its neighbours, whose taps are all inside: the run then has them all, of which that line's first or last lies outside the image.
    /// </summary>
    public static WindowRun[] WithEdges(WindowRun[] runs, int taps)
    {
        var joined = new List<WindowRun>();
        foreach (WindowRun run in runs)
        {
            if (joined.Count == 0 || joined[^1] is var before && !(before.First + (before.Count * before.Step) == run.First && before.Step == run.Step))
                joined.Add(run);
            else if (before.Count == 1 && before.Taps == taps - 1 && run.Taps == taps)
                joined[^1] = run with { First = before.First, Source = run.Source - run.SourceStep, Count = run.Count + 1 };
            else if (before.Taps == taps && run.Count == 1 && run.Taps == taps - 1)
                joined[^1] = before with { Count = before.Count + 1 };
            else
                joined.Add(run);
        }

        return [.. joined];
    }
}
