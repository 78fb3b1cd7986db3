namespace NativeConv;

/// <summary>A parameter whose tensor has another shape; shapes are in the file's layout.</summary>
/// <param name="Parameter">Its name in the model, as <c>conv2d.kernel</c>.</param>
/// <param name="Tensor">The tensor's name.</param>
/// <param name="Expected">The shape that the model needs.</param>
/// <param name="Actual">The shape that the tensor has.</param>
public sealed record WeightMismatch(string Parameter, string Tensor, IReadOnlyList<long> Expected, IReadOnlyList<long> Actual)
{
    /// <summary>Names and shapes in a line.</summary>
    public override string ToString() => $"{Parameter} [{string.Join(", ", Expected)}] from {Tensor} [{string.Join(", ", Actual)}]";
}
