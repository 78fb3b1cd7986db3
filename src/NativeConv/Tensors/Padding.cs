namespace NativeConv;

/// <summary>How many cells of nothing surround an image on each side. A padded cell adds nothing, never wins a maximum and is not counted in an average.</summary>
public readonly record struct Padding
{
    private enum Mode
    {
        Same,
        Valid,
        Explicit,
    }

    private readonly Mode _mode;

    private Padding(Mode mode, int top, int bottom, int left, int right)
    {
        _mode = mode;
        Top = top;
        Bottom = bottom;
        Left = left;
        Right = right;
    }

    /// <summary>As TensorFlow defines it: the output has ceil(input / stride) cells, and an odd cell goes to the bottom and right. The default.</summary>
    public static Padding Same => default;

    /// <summary>No padding.</summary>
    public static Padding Valid => new(Mode.Valid, 0, 0, 0, 0);

    /// <summary>Given pads.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A pad is negative.</exception>
    public static Padding Explicit(int top, int bottom, int left, int right)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        ArgumentOutOfRangeException.ThrowIfNegative(bottom);
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfNegative(right);
        return new(Mode.Explicit, top, bottom, left, right);
    }

    /// <summary>Whether it is <see cref="Same"/>, whose pads depend on the sizes.</summary>
    public bool IsSame => _mode == Mode.Same;

    /// <summary>Whether it is <see cref="Valid"/>.</summary>
    public bool IsValid => _mode == Mode.Valid;

    /// <summary>Rows above; 0 for <see cref="Same"/>, whose pads depend on the sizes.</summary>
    public int Top { get; }

    /// <summary>Rows below.</summary>
    public int Bottom { get; }

    /// <summary>Columns to the left.</summary>
    public int Left { get; }

    /// <summary>Columns to the right.</summary>
    public int Right { get; }

    /// <summary><c>same</c>, <c>valid</c> or the four pads.</summary>
    public override string ToString() => _mode switch
    {
        Mode.Same => "same",
        Mode.Valid => "valid",
        _ => $"{Top},{Bottom},{Left},{Right}",
    };
}
