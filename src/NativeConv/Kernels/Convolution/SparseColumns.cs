namespace NativeConv.Kernels;

/// <summary>
/// The order in which the lists of a row of outputs follow each other, so that those which a column of the input gradient takes are one list: its taps, from the first on, see outputs a fixed number of
/// columns apart, from the last on. Outputs of each residue of that number come together, the last first.
/// </summary>
internal sealed class SparseColumns
{
    /// <summary>A column of the output, and by how many columns of taps a list that begins with its residue's last output has advanced when it comes to this one.</summary>
    public readonly record struct Output(int Column, int TapOffset);

    /// <summary>
    /// A column of the input, the places of the outputs that see it, from the first up to the end, and the column of taps from which their offsets count: it may lie before the first.
    /// </summary>
    public readonly record struct Input(int Column, int First, int End, int TapBase);

    private readonly Output[] _outputs;
    private readonly Input[] _inputs;

    public SparseColumns(in Conv2DGeometry geometry)
    {
        int common = WindowAxis.GreatestCommonDivisor(geometry.StrideWidth, geometry.DilationWidth);
        int outputStep = geometry.DilationWidth / common, tapStep = geometry.StrideWidth / common;
        _outputs = new Output[geometry.OutputWidth];
        var places = new int[geometry.OutputWidth];
        int place = 0;
        for (int residue = 0; residue < Math.Min(outputStep, geometry.OutputWidth); residue++)
        {
            int last = residue + ((geometry.OutputWidth - 1 - residue) / outputStep * outputStep);
            for (int column = last, offset = 0; column >= 0; column -= outputStep, offset += tapStep)
            {
                places[column] = place;
                _outputs[place++] = new(column, offset);
            }
        }

        _inputs = InputsOf(geometry, places);
    }

    /// <summary>A row's outputs in the order of their lists.</summary>
    public ReadOnlySpan<Output> Outputs => _outputs;

    /// <summary>Columns of the input that some output sees.</summary>
    public ReadOnlySpan<Input> Inputs => _inputs;

    private Input[] InputsOf(in Conv2DGeometry geometry, int[] places)
    {
        var inputs = new List<Input>();
        long seen = geometry.ColumnsSeen(geometry.OutputWidth) - geometry.PadLeft;
        for (int column = 0; column < Math.Min(geometry.InputWidth, seen); column++)
        {
            Input? input = null;
            for (int tap = 0; tap < geometry.KernelWidth; tap++)
            {
                (long output, long rest) = Math.DivRem((long)column + geometry.PadLeft - ((long)tap * geometry.DilationWidth), geometry.StrideWidth);
                if (rest != 0 || output < 0 || output >= geometry.OutputWidth)
                    continue;

                int at = places[output];
                input = input is { } begun ? begun with { End = at + 1 } : new(column, at, at + 1, tap - _outputs[at].TapOffset);
            }

            if (input is { } whole)
                inputs.Add(whole);
        }

        return [.. inputs];
    }
}
