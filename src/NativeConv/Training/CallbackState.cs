namespace NativeConv;

/// <summary>What a callback remembers, as a checkpoint keeps it: numbers and arrays of floats by name.</summary>
public sealed class CallbackState
{
    private readonly SortedDictionary<string, double> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float[]> _arrays = new(StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, double> Numbers => _numbers;

    /// <summary>In the order in which they were set.</summary>
    internal IReadOnlyDictionary<string, float[]> Arrays => _arrays;

    /// <summary>Writes down a number; every double comes back as it is.</summary>
    public void Set(string name, double value) => _numbers[name] = value;

    /// <summary>Writes down a copy of an array.</summary>
    public void Set(string name, ReadOnlySpan<float> values) => _arrays[name] = values.ToArray();

    /// <summary>Reads a number.</summary>
    /// <exception cref="InvalidDataException">There is none of the name.</exception>
    public double Number(string name) => _numbers.TryGetValue(name, out double value) ? value : throw new InvalidDataException($"There is no number '{name}'.");

    /// <summary>Reads a whole number that is not negative.</summary>
    /// <exception cref="InvalidDataException">There is none of the name.</exception>
    public int Count(string name)
    {
        double value = Number(name);
        return value is >= 0 and <= int.MaxValue && value == Math.Floor(value)
            ? (int)value
            : throw new InvalidDataException($"'{name}' must be a whole number that is not negative, but is {value}.");
    }

    /// <summary>Reads an array into one of the same length.</summary>
    /// <exception cref="InvalidDataException">There is none of the name and length.</exception>
    public void CopyTo(string name, Span<float> values)
    {
        if (!_arrays.TryGetValue(name, out float[]? array) || array.Length != values.Length)
            throw new InvalidDataException($"There must be {values.Length} values '{name}', but there are {array?.Length ?? 0}.");

        array.CopyTo(values);
    }
}
