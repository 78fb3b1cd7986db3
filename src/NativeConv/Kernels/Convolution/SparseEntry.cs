namespace NativeConv.Kernels;

/// <summary>One value that is not zero, and how many bytes from a list's base the row lies that it multiplies.</summary>
internal readonly record struct SparseEntry(int Offset, float Value)
{
    /// <summary>
    /// So many entries behind a list are read, though not what they refer to: kernels work out a row's address two entries ahead, since loads that wait for it would else hold up the load of the next one's.
    /// </summary>
    public const int Ahead = 2;
}

/// <summary>A row of sums, and the list of entries, from the first up to the end, that add their values times rows to it. The base of their offsets need not lie in the rows.</summary>
internal readonly unsafe struct SparseSum(float* sums, float* rows, SparseEntry* first, SparseEntry* end)
{
    public readonly float* Sums = sums, Rows = rows;
    public readonly SparseEntry* First = first, End = end;
}
