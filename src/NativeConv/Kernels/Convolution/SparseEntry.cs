namespace NativeConv.Kernels;

/// <summary>One value that is not zero, and the number of the row that it multiplies.</summary>
internal readonly record struct SparseEntry(int Row, float Value);
