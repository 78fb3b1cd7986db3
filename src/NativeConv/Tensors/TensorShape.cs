namespace NativeConv;

/// <summary>A shape of up to four dimensions, the last one contiguous in memory.</summary>
public readonly struct TensorShape : IEquatable<TensorShape>
{
    /// <summary>The largest number of dimensions.</summary>
    public const int MaxRank = 4;

    private readonly int _d0, _d1, _d2, _d3;

    /// <summary>A shape from its dimensions, outermost first.</summary>
    /// <exception cref="ArgumentException">There are more than four, one is negative, or their product overflows an int.</exception>
    public TensorShape(params ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length > MaxRank)
            throw new ArgumentException($"A shape has at most {MaxRank} dimensions, but {dimensions.Length} were given.", nameof(dimensions));

        long length = 1;
        foreach (int dimension in dimensions)
        {
            if (dimension < 0)
                throw new ArgumentException($"A dimension must not be negative, but {dimension} was given.", nameof(dimensions));

            length *= dimension;
            if (length > int.MaxValue)
                throw new ArgumentException($"A tensor holds at most {int.MaxValue} floats; [{string.Join(", ", dimensions.ToArray())}] is more.", nameof(dimensions));
        }

        Rank = dimensions.Length;
        Length = (int)length;
        _d0 = Rank > 0 ? dimensions[0] : 1;
        _d1 = Rank > 1 ? dimensions[1] : 1;
        _d2 = Rank > 2 ? dimensions[2] : 1;
        _d3 = Rank > 3 ? dimensions[3] : 1;
    }

    /// <summary>How many dimensions there are.</summary>
    public int Rank { get; }

    /// <summary>How many floats a tensor of this shape holds.</summary>
    public int Length { get; }

    /// <summary>One dimension, outermost first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below <see cref="Rank"/>.</exception>
    public int this[int dimension]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dimension, Rank);
            return dimension switch { 0 => _d0, 1 => _d1, 2 => _d2, _ => _d3 };
        }
    }

    /// <summary>The dimensions as an array, outermost first.</summary>
    public int[] ToArray()
    {
        int[] all = [_d0, _d1, _d2, _d3];
        return all[..Rank];
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape other) =>
        Rank == other.Rank && _d0 == other._d0 && _d1 == other._d1 && _d2 == other._d2 && _d3 == other._d3;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TensorShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _d0, _d1, _d2, _d3);

    /// <summary>Whether two shapes have the same dimensions.</summary>
    public static bool operator ==(TensorShape left, TensorShape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(TensorShape left, TensorShape right) => !left.Equals(right);

    /// <summary>The shape as <c>[3, 3, 1, 64]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", ToArray())}]";
}
