namespace NativeConv.Kernels;

/// <summary>A run of taps along the sliding axis, read from evenly spaced source cells.</summary>
/// <param name="Source">The source cell of position 0, which may lie outside the image.</param>
/// <param name="Tap">The kernel tap that output 0 applies to position 0.</param>
/// <param name="First">The first position inside the image.</param>
/// <param name="End">One past the last position inside the image.</param>
/// <param name="IsWhole">Whether it has as many taps as its run's longest; otherwise it has one less.</param>
internal readonly record struct SlidingSegment(int Source, int Tap, int First, int End, bool IsWhole);

/// <summary>Outputs along an axis that read evenly spaced source cells: output First + t*Step applies the tap of position p - t to position p.</summary>
/// <param name="First">The first output.</param>
/// <param name="Step">Outputs from one to the next.</param>
/// <param name="Count">How many.</param>
/// <param name="Taps">The most taps of a segment.</param>
/// <param name="Segments">The runs of taps, those outside the image left out.</param>
internal sealed record SlidingRun(int First, int Step, int Count, int Taps, SlidingSegment[] Segments)
{
    /// <summary>Positions of the first segment, a whole one, that lie behind the image.</summary>
    public int MissingLast => Count + Taps - 1 - Segments[0].End;

    /// <summary>The outputs from <paramref name="first"/> on.</summary>
    public SlidingRun Slice(int first, int count, int sourceStep) => new(First + (first * Step), Step, count, Taps,
        [.. Segments
            .Select(s => s with
            {
                Source = s.Source + (first * sourceStep),
                First = Math.Max(0, s.First - first),
                End = Math.Min(count + (s.IsWhole ? Taps : Taps - 1) - 1, s.End - first),
            })
            .Where(s => s.First < s.End)]);

    /// <summary>The same outputs with each segment as a run of its own: all but the first go on from the sums of the one before.</summary>
    public IEnumerable<SlidingRun> BySegment() => Segments.Select(s => this with { Taps = s.IsWhole ? Taps : Taps - 1, Segments = [s with { IsWhole = true }] });
}

/// <summary>
/// One axis of a depthwise pass as runs whose source cells coincide from output to output. Forward, outputs that lie dilation/gcd(stride, dilation) apart share cells
/// that lie lcm(stride, dilation) apart, and taps fall into stride/gcd residues, a segment each. An input gradient falls into stride residues of its
/// outputs, each with one progression of taps, flipped. Long segments are cut, so that each has the same number of taps or one less.
/// </summary>
/// <param name="Runs">The runs, which cover the axis once.</param>
/// <param name="SourceStep">Source cells from one position to the next.</param>
/// <param name="TapStep">Kernel taps from one position's to the next position's.</param>
internal sealed record SlidingAxis(SlidingRun[] Runs, int SourceStep, int TapStep)
{
    public static SlidingAxis Forward(int outputs, int inputs, int taps, int stride, int dilation, int pad)
    {
        int divisor = WindowAxis.GreatestCommonDivisor(stride, dilation);
        int outputStep = dilation / divisor, residues = stride / divisor, sourceStep = dilation * residues;
        var runs = new List<SlidingRun>();
        for (int first = 0; first < Math.Min(outputStep, outputs); first++)
        {
            int count = (outputs - first + outputStep - 1) / outputStep;
            var progressions = Enumerable.Range(0, Math.Min(residues, taps))
                .Select(r => ((first * stride) - pad + (r * dilation), r, (taps - r + residues - 1) / residues));
            runs.Add(Run(first, outputStep, count, [.. progressions], sourceStep, residues, inputs));
        }

        return new([.. runs], sourceStep, residues);
    }

    public static SlidingAxis Backward(int outputs, int inputs, int taps, int stride, int dilation, int pad)
    {
        int divisor = WindowAxis.GreatestCommonDivisor(stride, dilation);
        int tapStep = stride / divisor, sourceStep = dilation / divisor;
        var runs = new List<SlidingRun>();
        for (int residue = 0; residue < Math.Min(stride, inputs); residue++)
        {
            int all = (inputs - residue + stride - 1) / stride;
            int firstTap = Enumerable.Range(0, Math.Min(tapStep, taps)).FirstOrDefault(tap => (residue + pad - (tap * dilation)) % stride == 0, -1);
            for (int first = 0; first < Math.Min(sourceStep, all); first++)
            {
                int count = (all - first + sourceStep - 1) / sourceStep, step = stride * sourceStep, result = residue + (first * stride);
                if (firstTap < 0)
                {
                    runs.Add(new(result, step, count, 1, []));
                    continue;
                }

                // Positions ascend, so taps descend.
                int progression = ((taps - firstTap - 1) / tapStep) + 1, last = firstTap + ((progression - 1) * tapStep);
                int origin = first + ((residue + pad - (last * dilation)) / stride);
                runs.Add(Run(result, step, count, [(origin, last, progression)], sourceStep, -tapStep, outputs));
            }
        }

        return new([.. runs], sourceStep, -tapStep);
    }

    /// <summary>The runs cut into tiles of nearly equal size.</summary>
    public IEnumerable<SlidingRun> Tiles(Func<int, int> mostOutputs)
    {
        foreach (SlidingRun run in Runs)
        {
            int tiles = ((run.Count - 1) / mostOutputs(run.Taps)) + 1;
            for (int i = 0, first = 0; i < tiles; i++)
            {
                int count = (run.Count - first + tiles - i - 1) / (tiles - i);
                yield return run.Slice(first, count, SourceStep);
                first += count;
            }
        }
    }

    private static SlidingRun Run(
        int first, int step, int count, (int Source, int Tap, int Taps)[] progressions, int sourceStep, int tapStep, int sources)
    {
        int longest = progressions.Max(p => p.Taps);
        int parts = (longest + DepthwiseMicroKernel.MostTaps - 1) / DepthwiseMicroKernel.MostTaps, taps = (longest + parts - 1) / parts;
        var segments = new List<SlidingSegment>();
        foreach ((int source, int tap, int all) in progressions)
        {
            for (int part = 0, done = 0; part < parts; part++)
            {
                int length = (all - done + parts - part - 1) / (parts - part);
                int cell = source + (done * sourceStep);
                int start = cell >= 0 ? 0 : (-cell + sourceStep - 1) / sourceStep;
                int end = cell >= sources ? 0 : Math.Min(count + length - 1, ((sources - 1 - cell) / sourceStep) + 1);
                if (length > 0 && start < end)
                    segments.Add(new(cell, tap + (done * tapStep), start, end, length == taps));

                done += length;
            }
        }

        return new(first, step, count, taps, [.. segments]);
    }
}
