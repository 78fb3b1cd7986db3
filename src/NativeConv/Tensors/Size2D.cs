namespace NativeConv;

/// <summary>A height and a width: of a kernel, a stride or a dilation. One number means both.</summary>
/// <param name="Height">Along rows.</param>
/// <param name="Width">Along columns.</param>
public readonly record struct Size2D(int Height, int Width)
{
    /// <summary>The same number for both.</summary>
    public static implicit operator Size2D(int both) => new(both, both);

    /// <summary>The size as <c>3x3</c>.</summary>
    public override string ToString() => $"{Height}x{Width}";
}
