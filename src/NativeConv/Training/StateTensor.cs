namespace NativeConv.Training;

/// <summary>Numbers that a training goes on from: a parameter, a moment, an average, or what a callback keeps.</summary>
/// <param name="Name">Its group and name, as <c>model/conv2d.kernel</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Values">The numbers.</param>
internal sealed record StateTensor(string Name, TensorShape Shape, ReadOnlyMemory<float> Values);
