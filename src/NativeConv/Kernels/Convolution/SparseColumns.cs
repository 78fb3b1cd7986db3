namespace NativeConv.Kernels;

/// <summary>
/// The order in which the lists of a row of outputs follow each other, so that those which a column of the input gradient takes are one list: its taps, from the first on, see outputs a fixed number of
/// columns apart, from the last on. Outputs of each residue of that number come together, the last first.
/// </summary>
internal sealed class SparseColumns
{
    /// <summary>An output's column, and how many columns of taps lie between it and the first of its residue.</summary>
    public readonly record struct Output(int Number, int Tap);

    /// <summary>An input's column, the outputs from the first up to the end that see it, by their places, and the column of taps that a list of <see cref="Output.Tap"/> 0 would be for: it may lie before the first.</summary>
    public readonly record struct Input(int Number, int First, int End, int Tap);

    private readonly Output[] _outputs;
    private readonly int[] _places;
    private readonly Input[] _inputs;

    public SparseColumns(in Conv2DGeometry geometry)
    {
        int common = WindowAxis.GreatestCommonDivisor(geometry.StrideWidth, geometry.DilationWidth);
        int outputStep = geometry.DilationWidth / common, tapStep = geometry.StrideWidth / common;
        _outputs = new Output[geometry.OutputWidth];
        _places = new int[geometry.OutputWidth];
        int place = 0;
        for (int residue = 0; residue < Math.Min(outputStep, geometry.OutputWidth); residue++)
        {
            int last = residue + ((geometry.OutputWidth - 1 - residue) / outputStep * outputStep);
            for (int column = last, tap = 0; column >= 0; column -= outputStep, tap += tapStep)
            {
                _places[column] = place;
                _outputs[place++] = new(column, tap);
            }
        }

        var inputs = new List<Input>();
        int seen = ((geometry.OutputWidth - 1) * geometry.StrideWidth) + ((geometry.KernelWidth - 1) * geometry.DilationWidth) + 1 - geometry.PadLeft;
        for (int column = 0; column < Math.Min(geometry.InputWidth, seen); column++)
        {
            Input? input = null;
            for (int tap = 0; tap < geometry.KernelWidth; tap++)
            {
                (long output, long rest) = Math.DivRem((long)column + geometry.PadLeft - ((long)tap * geometry.DilationWidth), geometry.StrideWidth);
                if (rest != 0 || output < 0 || output >= geometry.OutputWidth)
                    continue;

                int at = _places[output];
                input = input is { } begun ? begun with { End = at + 1 } : new(column, at, at + 1, tap - _outputs[at].Tap);
            }

            if (input is { } whole)
                inputs.Add(whole);
        }

        _inputs = [.. inputs];
    }

    public ReadOnlySpan<Output> Outputs => _outputs;

    /// <summary>Where among the lists of its row an output's is.</summary>
    public ReadOnlySpan<int> Places => _places;

    /// <summary>Inputs that some output sees.</summary>
    public ReadOnlySpan<Input> Inputs => _inputs;
}
