namespace NativeConv.Optimizers;

/// <summary>Parameters in a row, a whole number of 16 floats, padded with zeros that every optimizer leaves zero.</summary>
internal readonly unsafe struct ParameterRun(nint count, bool decays)
{
    public nint Count { get; } = count;

    /// <summary>Whether decoupled weight decay applies.</summary>
    public bool Decays { get; } = decays;

    public float* Weights { get; init; }

    public float* Gradient { get; init; }

    /// <summary>The first moments, where the optimizer keeps any.</summary>
    public float* First { get; init; }

    /// <summary>The second moments, where the optimizer keeps two.</summary>
    public float* Second { get; init; }
}
