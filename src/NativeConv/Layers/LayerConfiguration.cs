namespace NativeConv;

/// <summary>A layer's settings by name, as a model file keeps them: whole numbers, numbers, truths and words.</summary>
public sealed class LayerConfiguration
{
    private readonly SortedDictionary<string, object> _settings = new(StringComparer.Ordinal);

    /// <summary>The names that are set, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => _settings.Keys;

    /// <summary>Sets a whole number.</summary>
    public void Set(string name, long value) => _settings[name] = value;

    /// <summary>Sets a number.</summary>
    public void Set(string name, double value) => _settings[name] = value;

    /// <summary>Sets a truth.</summary>
    public void Set(string name, bool value) => _settings[name] = value;

    /// <summary>Sets a word.</summary>
    public void Set(string name, string value) => _settings[name] = value;

    internal void SetSize(string name, Size2D value)
    {
        Set(name + "_height", value.Height);
        Set(name + "_width", value.Width);
    }

    internal object Value(string name) => _settings[name];

    /// <summary>Reads a whole number.</summary>
    /// <exception cref="InvalidDataException">It is missing, no whole number, or does not fit an int.</exception>
    public int Int32(string name) => Get<long>(name) is var value and >= int.MinValue and <= int.MaxValue
        ? (int)value
        : throw new InvalidDataException($"Setting '{name}' must fit 32 bits, but is {Get<long>(name)}.");

    /// <summary>Reads a number.</summary>
    /// <exception cref="InvalidDataException">It is missing or no number.</exception>
    public double Number(string name) => _settings.TryGetValue(name, out object? value) && value is long whole ? whole : Get<double>(name);

    /// <summary>Reads a truth.</summary>
    /// <exception cref="InvalidDataException">It is missing or neither true nor false.</exception>
    public bool Boolean(string name) => Get<bool>(name);

    /// <summary>Reads a word.</summary>
    /// <exception cref="InvalidDataException">It is missing or no word.</exception>
    public string Text(string name) => Get<string>(name);

    internal Size2D Size(string name) => new(Int32(name + "_height"), Int32(name + "_width"));

    internal TEnum Choice<TEnum>(string name)
        where TEnum : struct, Enum =>
        Enum.TryParse(Text(name), out TEnum value) && Enum.IsDefined(value)
            ? value
            : throw new InvalidDataException($"Setting '{name}' must be one of {string.Join(", ", Enum.GetNames<TEnum>())}, but is '{Text(name)}'.");

    internal void SetPadding(string name, Padding padding) => Set(name, padding.ToString());

    internal Padding Padding(string name)
    {
        string text = Text(name);
        switch (text)
        {
            case "same":
                return NativeConv.Padding.Same;
            case "valid":
                return NativeConv.Padding.Valid;
        }

        string[] parts = text.Split(',');
        var pads = new int[4];
        bool right = parts.Length == 4;
        for (int i = 0; right && i < 4; i++)
            right = int.TryParse(parts[i], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out pads[i]);

        return right
            ? NativeConv.Padding.Explicit(pads[0], pads[1], pads[2], pads[3])
            : throw new InvalidDataException($"Setting '{name}' must be 'same', 'valid' or four pads, but is '{text}'.");
    }

    private T Get<T>(string name) => _settings.TryGetValue(name, out object? value) && value is T typed
        ? typed
        : throw new InvalidDataException($"Setting '{name}' must be a {typeof(T).Name}, but is {(value is null ? "missing" : $"'{value}'")}.");
}
