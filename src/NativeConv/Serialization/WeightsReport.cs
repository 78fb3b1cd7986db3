namespace NativeConv;

/// <summary>What became of each parameter of a model, and of each tensor of a file, when weights were loaded.</summary>
/// <param name="Loaded">Parameters that have new values.</param>
/// <param name="Missing">Parameters that no tensor was found for; they are as they were.</param>
/// <param name="Unused">Tensors that no parameter takes.</param>
/// <param name="OtherShape">Parameters whose tensor has another shape; they are as they were.</param>
public sealed record WeightsReport(
    IReadOnlyList<WeightMatch> Loaded, IReadOnlyList<string> Missing, IReadOnlyList<string> Unused, IReadOnlyList<WeightMismatch> OtherShape)
{
    /// <summary>Names that a line shows at most.</summary>
    private const int Shown = 8;

    /// <summary>Whether every parameter was loaded and every tensor used.</summary>
    public bool IsComplete => Missing.Count == 0 && Unused.Count == 0 && OtherShape.Count == 0;

    /// <summary>The counts, and the first names of what did not match, in a line.</summary>
    public override string ToString()
    {
        string text = $"{Loaded.Count} loaded";
        Append("missing", Missing);
        Append("left over", Unused);
        Append("of another shape", OtherShape);
        return text;

        void Append<T>(string what, IReadOnlyList<T> items)
        {
            if (items.Count > 0)
                text += $"; {items.Count} {what}: {string.Join(", ", items.Take(Shown))}{(items.Count > Shown ? ", ..." : "")}";
        }
    }
}
