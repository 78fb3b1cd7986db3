namespace NativeConv;

/// <summary>The cells of its input that one output of a layer sees, and how far the next output's window is.</summary>
/// <param name="Extent">Rows and columns from the first cell seen to the last.</param>
/// <param name="Stride">Rows and columns between the windows of two neighbouring outputs.</param>
public readonly record struct ReceptiveWindow(Size2D Extent, Size2D Stride)
{
    /// <summary>One cell: what elementwise and pointwise layers see.</summary>
    public static ReceptiveWindow Point => new(1, 1);
}
