namespace NativeConv;

/// <summary>Images to learn from, and images to be tested on.</summary>
public sealed record TrainTest(Dataset Train, Dataset Test);
