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

    /// <summary>
    /// The same with a line at either end that lacks one tap joined to its neighbours, whose taps are all inside: the run then has them all, of which that line's first or last lies outside the image. Null where no two
    /// lines can be computed together by <see cref="PairedDepthwiseMicroKernel"/>.
    /// </summary>
    public static WindowRun[]? Pairs(WindowRun[] runs, in Conv2DGeometry g)
    {
        const int Taps = PairedDepthwiseMicroKernel.Taps;
        if (g is not { KernelHeight: Taps, KernelWidth: Taps } || runs.Any(run => run.SourceStep != Math.Abs(run.SourceTapStep)))
            return null;

        var joined = new List<WindowRun>();
        foreach (WindowRun run in runs)
        {
            WindowRun before = joined.Count == 0 ? default : joined[^1];
            bool follows = before.Step == run.Step && before.First + (before.Count * before.Step) == run.First;
            if (follows && before is { Count: 1, Taps: Taps - 1 } && run.Taps == Taps)
                joined[^1] = run with { First = before.First, Source = run.Source - run.SourceStep, Count = run.Count + 1 };
            else if (follows && before.Taps == Taps && run is { Count: 1, Taps: Taps - 1 })
                joined[^1] = before with { Count = before.Count + 1 };
            else
                joined.Add(run);
        }

        return joined.Any(run => run is { Taps: Taps, Count: >= PairedDepthwiseMicroKernel.Lines }) ? [.. joined] : null;
    }
}
