namespace NativeConv.Kernels;

/// <summary>Walks over runs of lines in their order, some lines of a run at a time.</summary>
/// <param name="runs">The runs.</param>
/// <param name="share">Which part of each.</param>
/// <param name="unit">How many lines belong together.</param>
internal struct LineCursor(WindowRun[] runs, Share share, int unit)
{
    private int _run, _line;

    /// <summary>The next lines of one run, at most so many, which are whole units; none at the end.</summary>
    public WindowRun Next(int most)
    {
        for (; _run < runs.Length; _run++, _line = 0)
        {
            WindowRun run = runs[_run].Slice(share, unit);
            if (_line >= run.Count)
                continue;

            WindowRun lines = run.Slice(_line, _line + Math.Min(most, run.Count - _line));
            _line += lines.Count;
            return lines;
        }

        return default;
    }
}
