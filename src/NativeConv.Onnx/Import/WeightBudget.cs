namespace NativeConv.Onnx.Import;

/// <summary>
/// How much memory weights may take: a multiple of the file, so that nodes that share a weight may each have their own copy of it, but a small file cannot ask for a huge model.
/// </summary>
internal sealed class WeightBudget(long fileBytes)
{
    private const int Copies = 16;

    private long _left = Copies * fileBytes;

    /// <exception cref="InvalidDataException">The weights would pass the budget.</exception>
    public void Take(long floats, NodeReader node)
    {
        _left -= floats * sizeof(float);
        if (_left < 0)
            throw node.Broken($"the weights that nodes share would take more than {Copies} times the file's size");
    }
}
