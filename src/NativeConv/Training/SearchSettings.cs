namespace NativeConv;

/// <summary>The settings of one trial of a search.</summary>
/// <param name="Number">The trial's number, from 1.</param>
/// <param name="LearningRate">The highest learning rate.</param>
/// <param name="BatchSize">Images a step.</param>
/// <param name="Width">What the network's channels are multiplied by.</param>
public readonly record struct SearchSettings(int Number, float LearningRate, int BatchSize, float Width);
