namespace NativeConv.Serialization;

/// <summary>Pairs a model's parameters with tensors, and copies once every pair is known: a strict load that fails changes nothing.</summary>
/// <param name="tensors">The names of all tensors that there are.</param>
internal sealed class WeightTransfer(IEnumerable<string> tensors)
{
    private readonly List<(Parameter Parameter, string Tensor, Action<Span<float>> Copy)> _pairs = [];
    private readonly List<string> _missing = [];
    private readonly List<WeightMismatch> _otherShape = [];
    private readonly SortedSet<string> _unused = new(tensors, StringComparer.Ordinal);

    public void Missing(Parameter parameter) => _missing.Add(parameter.Name);

    /// <summary>Says that a tensor has no place in a model and that this is right.</summary>
    public void Ignore(string tensor) => _unused.Remove(tensor);

    /// <summary>Pairs a parameter with a tensor, whose shape may turn out not to fit.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="expected">The shape that it must have.</param>
    /// <param name="actual">The shape that it has.</param>
    /// <param name="copy">Writes its values in the parameter's layout.</param>
    public void Pair(Parameter parameter, string tensor, IReadOnlyList<long> expected, IReadOnlyList<long> actual, Action<Span<float>> copy)
    {
        _unused.Remove(tensor);
        if (expected.SequenceEqual(actual))
            _pairs.Add((parameter, tensor, copy));
        else
            _otherShape.Add(new(parameter.Name, tensor, expected, actual));
    }

    /// <summary>Copies what fits.</summary>
    /// <param name="strict">Whether everything must fit.</param>
    /// <param name="refuse">Makes the exception of a strict transfer from what does not.</param>
    public WeightsReport Finish(bool strict, Func<string, Exception> refuse)
    {
        var report = new WeightsReport([.. _pairs.Select(pair => new WeightMatch(pair.Parameter.Name, pair.Tensor))], _missing, [.. _unused], _otherShape);
        if (strict && !report.IsComplete)
            throw refuse($"the weights do not fit the model ({report}); a partial load takes those that do");

        foreach ((Parameter parameter, _, Action<Span<float>> copy) in _pairs)
            copy(parameter.Value.Span);

        return report;
    }

    public static long[] Dimensions(TensorShape shape) => Array.ConvertAll(shape.ToArray(), dimension => (long)dimension);
}
