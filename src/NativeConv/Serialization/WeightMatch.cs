namespace NativeConv;

/// <summary>A parameter that was loaded.</summary>
/// <param name="Parameter">Its name in the model, as <c>conv2d.kernel</c>.</param>
/// <param name="Tensor">The name of the tensor that it got its values from.</param>
public readonly record struct WeightMatch(string Parameter, string Tensor);
