namespace NativeConv.Kernels;

/// <summary>One of several nearly equal parts of some work, for kernels whose results do not depend on how they are shared out.</summary>
/// <param name="Index">Which, from 0.</param>
/// <param name="Count">Of how many.</param>
internal readonly record struct Share(int Index, int Count)
{
    public static Share All => new(0, 1);

    /// <summary>The range of items, first inclusive and end exclusive, that is this share.</summary>
    public (int First, int End) Of(int items) => ((int)((long)items * Index / Count), (int)((long)items * (Index + 1) / Count));
}
