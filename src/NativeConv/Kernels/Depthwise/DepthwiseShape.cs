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
}
