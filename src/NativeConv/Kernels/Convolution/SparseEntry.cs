namespace NativeConv.Kernels;

/// <summary>One value that is not zero, and how many bytes from the first the row lies that it multiplies.</summary>
internal readonly record struct SparseEntry(int Offset, float Value)
{
    /// <summary>
    /// So many entries behind a list are read, though what they refer to is not: a row's address is worked out that much ahead, since loads that wait for it would else hold up the load of the next one.
    /// </summary>
    public const int Ahead = 2;
}

/// <summary>Sums to which entries, from the first up to the end, add their values times rows; the address of the first row.</summary>
internal readonly unsafe struct SparseSum(float* sums, float* rows, SparseEntry* first, SparseEntry* end)
{
    public readonly float* Sums = sums, Rows = rows;
    public readonly SparseEntry* First = first, End = end;
}
