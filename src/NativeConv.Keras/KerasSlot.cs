namespace NativeConv.Keras;

/// <summary>A parameter's place in a Keras file.</summary>
/// <param name="Parameter">Its name in the model, as <c>conv2d.kernel</c>.</param>
/// <param name="Shape">Its shape, the same in both.</param>
/// <param name="Variable">The variable's path, as <c>layers/conv2d/vars/0</c>; null where Keras has none and the parameter stays as it is.</param>
internal readonly record struct KerasSlot(string Parameter, TensorShape Shape, string? Variable);
